import { answer, onRequest } from './hostile-server.ts';
import { type Row, type Shown, scenarioOf } from './rows.ts';

const FIREWALL = 'Check that it is running and that your firewall allows our IP addresses.';

/** A SIEM that is not there: nothing to do here, so the network is looked at. */
export function unreachable(cause: string | RegExp): Shown {
  return { state: 'disconnected', cause, fix: FIREWALL };
}

const rows: readonly Row[] = [
  {
    name: 'refused',
    begin: ({ front }) => front.refuse(),
    shown: unreachable('{target} refused the connection'),
  },
  {
    name: 'a black hole: no packet is answered',
    peer: true,
    connectTimeoutMs: 300,
    begin: async ({ front, peer }) => {
      await front.honest();
      await peer.stopAndFill();
    },
    end: ({ peer }) => peer.goOn(),
    shown: unreachable('{target} did not accept a connection within 300 ms'),
  },
  {
    name: 'half-open: the other machine vanished',
    peer: true,
    answerTimeoutMs: 400,
    // What lay in its memory is delivered when it goes on.
    mayRepeat: true,
    begin: ({ peer }) => peer.stop(),
    end: ({ peer }) => peer.goOn(),
    shown: unreachable('{target} did not answer within 400 ms'),
  },
  {
    name: 'accepts, and never says a word',
    answerTimeoutMs: 400,
    begin: ({ front }) => front.hostile((socket) => void socket.resume()),
    shown: unreachable('{target} did not answer within 400 ms'),
  },
  {
    name: 'accepts, and never reads',
    answerTimeoutMs: 400,
    begin: ({ front }) => front.hostile((socket) => void socket.pause()),
    shown: unreachable('{target} did not answer within 400 ms'),
  },
  {
    name: 'reset as soon as it is open',
    begin: ({ front }) => front.hostile((socket) => void socket.resetAndDestroy()),
    shown: unreachable(/^127\.0\.0\.1:\d+ closed the connection (before it was open|without an answer)$/),
  },
  {
    name: 'closed as soon as it is open',
    begin: ({ front }) => front.hostile((socket) => void socket.end()),
    shown: unreachable('{target} closed the connection without an answer'),
  },
  {
    name: 'another service listens there',
    begin: ({ front }) => front.hostile((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
    shown: unreachable('{target} did not answer in HTTP'),
  },
  {
    name: 'a database listens there, and answers in its own way',
    begin: ({ front, random }) => front.hostile(answer(random.bytes(300))),
    shown: unreachable('{target} did not answer in HTTP'),
  },
  {
    name: 'closes without a word after the request',
    begin: ({ front }) => front.hostile(onRequest((socket) => void socket.end())),
    shown: unreachable('{target} closed the connection without an answer'),
  },
];

export const connect = scenarioOf(
  {
    name: 'network/connect',
    uncertain: 'a machine that vanished may have had the batch in its memory',
    inShort: true,
  },
  () => rows,
);
