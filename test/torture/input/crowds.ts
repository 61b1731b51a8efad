import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { eventually } from '../../rig/events.ts';
import type { Size } from '../scenario.ts';
import { converse, openSocket } from './raw-socket.ts';
import type { Site } from './rig.ts';

const IDLE = { short: 200, full: 2_000 };
/** The service's limit for headers is 20 s; it looks every 30 s. */
const SLOW_ENDS_WITHIN_MS = 90_000;

/** Connections that say nothing, or speak one byte at a time: others are served, and in the full size they are ended. */
export async function crowds(
  { service: { url }, key }: Site,
  size: Size,
  say: (line: string) => void,
): Promise<number> {
  const sockets = Array.from({ length: IDLE[size] }, () => openSocket(url));
  const closed = new Set<Socket>();
  let drip: NodeJS.Timeout | undefined;
  try {
    await Promise.all(sockets.map(connected));
    for (const socket of sockets)
      socket
        .on('close', () => closed.add(socket))
        .on('end', () => closed.add(socket))
        .resume();
    const quarter = IDLE[size] / 4;
    const heads = sockets.slice(0, quarter);
    const bodies = sockets.slice(quarter, 2 * quarter);
    for (const socket of bodies)
      socket.write(
        `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n[`,
      );
    for (const socket of heads) socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ');
    drip = setInterval(() => {
      for (const socket of [...heads, ...bodies]) if (!socket.destroyed && socket.writable) socket.write(' ');
    }, 500);
    const began = performance.now();
    for (let n = 0; n < 20; n++) {
      const said = await converse(url, ['GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'], {
        answers: 1,
      });
      assert.equal(said.answers[0]?.status, 200, 'a client beside a crowd is served');
    }
    if (size === 'full') {
      await eventually(() => {
        const open = heads.filter((socket) => !closed.has(socket)).length;
        assert.equal(open, 0, `${open} connections still send their headers`);
      }, SLOW_ENDS_WITHIN_MS);
      say(`${heads.length} slow headers were ended within ${Math.round((performance.now() - began) / 1000)} s`);
    }
  } finally {
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
  }
  return sockets.length;
}

async function connected(socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  socket.on('error', () => {});
}
