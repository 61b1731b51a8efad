/** undici's Agent alone: its index loads fetch, WebSocket, caches and mocks with it, 13 MiB in each thread. */
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici';
  export default Agent;
}
