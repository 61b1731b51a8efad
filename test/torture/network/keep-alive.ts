import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type Act, onRequest } from './hostile-server.ts';
import { type Row, scenarioOf } from './rows.ts';

/**
 * Passes requests on one by one, each over a connection of its own; `hand` gives the answer back, or does something
 * else with the connection.
 */
function honest(standInPort: number, hand: (socket: Socket, answer: Buffer, nth: number) => void): Act {
  return onRequest((socket, request, nth) => {
    const chunks: Buffer[] = [];
    const inside = connect(standInPort, '127.0.0.1');
    inside.on('error', () => socket.destroy()).on('data', (chunk) => chunks.push(chunk));
    inside.on('end', () => hand(socket, Buffer.concat(chunks), nth));
    inside.write(request.toString('latin1').replace(/\r\n\r\n/, '\r\nconnection: close\r\n\r\n'), 'latin1');
  });
}

/** As if the connection stayed open, although the stand-in was told to close its own. */
function kept(answer: Buffer): Buffer {
  return Buffer.from(
    answer.toString('latin1').replace(/\r\nconnection: close/i, '\r\nconnection: keep-alive'),
    'latin1',
  );
}

const rows: readonly Row[] = [
  {
    name: 'closes the kept connection as the next batch is written',
    begin: ({ front, standInPort }) =>
      front.hostile((socket) => {
        honest(standInPort, (to, answer) => {
          to.write(kept(answer));
          // Of the next request nothing is read.
          to.removeAllListeners('data').once('data', () => to.resetAndDestroy());
        })(socket);
      }),
    after: async ({ rig }) => assert.ok((await rig.failedTries()) > 0, 'no batch met the closing connection'),
  },
  {
    name: 'closes the connection with the answer that promised to keep it',
    begin: ({ front, standInPort }) =>
      front.hostile(honest(standInPort, (socket, answer) => void socket.end(kept(answer)))),
  },
  {
    name: 'closes the kept connection some time later',
    begin: ({ front, standInPort, random }) =>
      front.hostile(
        honest(standInPort, (socket, answer) => {
          socket.write(kept(answer));
          // As servers do with idle connections: what arrives before is still answered, what arrives after is not read.
          const idle = setTimeout(() => void socket.removeAllListeners('data').resume().end(), random.between(0, 8));
          socket.once('data', () => clearTimeout(idle));
        }),
      ),
  },
  {
    name: 'two answers at once, and nobody reads the next request',
    begin: ({ front, standInPort }) =>
      front.hostile(
        honest(standInPort, (socket, answer) => {
          socket.removeAllListeners('data').resume();
          socket.write(Buffer.concat([kept(answer), kept(answer)]));
        }),
      ),
  },
  {
    name: 'a second answer right behind the first, and nobody reads the next request',
    begin: ({ front, standInPort }) =>
      front.hostile(
        honest(standInPort, (socket, answer) => {
          socket.removeAllListeners('data').resume();
          socket.write(kept(answer), () => void socket.write(kept(answer)));
        }),
      ),
  },
  {
    name: 'bytes that are no answer right behind the answer',
    begin: ({ front, standInPort, random }) =>
      front.hostile(
        honest(standInPort, (socket, answer) => {
          socket.removeAllListeners('data').resume();
          socket.write(Buffer.concat([kept(answer), random.bytes(40)]));
        }),
      ),
  },
];

export const keepAlive = scenarioOf(
  {
    name: 'network/keep-alive',
    uncertain: 'a kept connection was closed while a batch was written to it',
    inShort: true,
  },
  () => rows,
);
