import { connect } from 'node:net';
import { unreachable } from './connect.ts';
import { type Act, onRequest } from './hostile-server.ts';
import { type Row, scenarioOf } from './rows.ts';

const NO_ANSWER = unreachable('{target} closed the connection without an answer');

/** Strikes after so many bytes of the request. */
function after(bytes: number, strike: Act): Act {
  return (socket) => {
    let got = 0;
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length;
      if (got >= bytes) strike(socket);
    });
  };
}

/** Passes the request on, and strikes instead of handing back the answer: the batch was taken. */
function takenThen(strike: Act): (standInPort: number) => Act {
  return (standInPort) =>
    onRequest((socket, request) => {
      const inside = connect(standInPort, '127.0.0.1');
      inside.on('error', () => socket.destroy());
      inside.once('data', () => {
        strike(socket);
        inside.destroy();
      });
      inside.write(request);
    });
}

/** Reads a byte, waits, reads the next: its window is shut for most of the time. */
const sip: Act = (socket) => {
  const timer = setInterval(() => void socket.read(1), 200);
  socket.on('close', () => clearInterval(timer));
};

const rows: readonly Row[] = [
  {
    name: 'reset before the body',
    begin: ({ front }) => front.hostile(after(1, (socket) => void socket.resetAndDestroy())),
    shown: NO_ANSWER,
  },
  {
    name: 'reset in the middle of the body',
    begin: ({ front, random }) =>
      front.hostile(after(random.between(300, 1_000), (socket) => void socket.resetAndDestroy())),
    shown: NO_ANSWER,
  },
  {
    name: 'closed in the middle of the body',
    begin: ({ front, random }) => front.hostile(after(random.between(300, 1_000), (socket) => void socket.end())),
    shown: NO_ANSWER,
  },
  {
    name: 'reset after the body, which nobody took',
    begin: ({ front }) => front.hostile(onRequest((socket) => void socket.resetAndDestroy())),
    shown: NO_ANSWER,
  },
  {
    name: 'taken, then reset instead of the answer',
    mayRepeat: true,
    begin: ({ front, standInPort }) => front.hostile(takenThen((socket) => void socket.resetAndDestroy())(standInPort)),
    shown: NO_ANSWER,
  },
  {
    name: 'taken, then silence instead of the answer',
    mayRepeat: true,
    answerTimeoutMs: 400,
    begin: ({ front, standInPort }) => front.hostile(takenThen(() => {})(standInPort)),
    shown: unreachable('{target} did not answer within 400 ms'),
  },
  {
    name: 'taken, then half an answer',
    mayRepeat: true,
    begin: ({ front, standInPort }) =>
      front.hostile(
        takenThen((socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{"text":'))(standInPort),
      ),
    shown: unreachable('{target} closed the connection in the middle of its answer'),
  },
  {
    name: 'drinks the body in sips',
    answerTimeoutMs: 500,
    begin: ({ front }) => front.hostile(sip),
    shown: unreachable('{target} did not answer within 500 ms'),
  },
  {
    name: 'answers "busy" before it has read the body, and hangs up',
    begin: ({ front }) =>
      front.hostile((socket) => {
        const answer = '{"text":"Server is busy","code":9}';
        socket.once('readable', () => {
          socket.write(`HTTP/1.1 503 Busy\r\ncontent-length: ${answer.length}\r\nconnection: close\r\n\r\n${answer}`);
          socket.end();
        });
      }),
    // A reset may overtake the answer.
    shown: {
      state: 'throttled',
      cause: 'Splunk answered “Server is busy” (503, code 9)',
      fix: 'Delivery goes on by itself; if it lasts, raise the limit on its side.',
    },
  },
];

export const body = scenarioOf(
  {
    name: 'network/body',
    uncertain: 'a connection ended after the SIEM had taken the batch and before its answer arrived',
    inShort: true,
  },
  () => rows,
);
