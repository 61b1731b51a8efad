/** undici's Client alone: its index loads fetch, WebSocket, caches and mocks with it, 13 MiB in each thread. */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}
