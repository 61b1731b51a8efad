import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { producerEvent } from '../../rig/events.ts';
import type { Size } from '../scenario.ts';
import { openSocket } from './raw-socket.ts';
import { refusalOf } from './refusal.ts';
import type { Site } from './rig.ts';

const MIB = 1024 * 1024;
/** However little it is on the wire, one such body is answered within this time. */
const ANSWERED_WITHIN_MS = 30_000;

/** Small bodies that are large, or cost much, once they are unpacked. Each is refused, and not for long. */
export async function bombs(site: Site, size: Size): Promise<number> {
  const array = 'application/json';
  const lines = 'application/x-ndjson';
  const cases: readonly [name: string, body: () => Buffer, type: string, code: string | null][] = [
    ['a hundred MiB of NUL', () => Buffer.alloc(100 * MIB), lines, 'body_too_large'],
    ['ten MiB of newlines', () => Buffer.alloc(10 * MIB, '\n'), lines, 'invalid_body'],
    ['millions of blank lines', () => Buffer.alloc(10 * MIB, ' \r\n'), lines, 'invalid_body'],
    ['millions of empty events', () => Buffer.from(`[${'{},'.repeat(3_400_000)}{}]`), array, 'too_many_events'],
    [
      'millions of levels',
      () => Buffer.from(`[${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}]`),
      array,
      'nothing_accepted',
    ],
    ['millions of open brackets', () => Buffer.alloc(10 * MIB, '['), array, 'invalid_body'],
    [
      'one number of ten million digits',
      () => Buffer.from(`{"a":${'1'.repeat(10_000_000)}}`),
      array,
      'nothing_accepted',
    ],
    [
      'a million inexact numbers',
      () => Buffer.from(`{"a":[${'1e-400,'.repeat(1_400_000)}1]}`),
      array,
      'nothing_accepted',
    ],
    ['no UTF-8 at all', () => Buffer.alloc(10 * MIB, 0xff), array, 'invalid_body'],
    [
      'no UTF-8 in a string',
      () => Buffer.concat([Buffer.from('["'), Buffer.alloc(10_000_000, 0xff), Buffer.from('"]')]),
      array,
      'nothing_accepted',
    ],
    ['an array of spaces', () => Buffer.from(`[${' '.repeat(10_000_000)}]`), array, null],
  ];
  const chosen = size === 'full' ? cases : cases.slice(0, 6);
  for (const [name, body, type, code] of chosen) {
    const answer = await postGzip(site, gzipSync(body(), { level: 1 }), type);
    assert.equal(answer.code, code, name);
  }
  return chosen.length;
}

/** Many of them at once, and many bodies that stop before their end: memory stays bounded, others are served. */
export async function floods(site: Site, say: (line: string) => void): Promise<number> {
  const bomb = gzipSync(Buffer.alloc(100 * MIB));
  const nearly = gzipSync(Buffer.alloc(10 * MIB - 5, '\n'));
  const good = gzipSync(JSON.stringify(producerEvent(0, 'flooded')));
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, i) => postGzip(site, [bomb, nearly, good][i % 3]!, 'application/x-ndjson')),
  );
  site.kept.add('flooded-00000000');
  const stopped = stop(site, 60);
  try {
    const [answer] = await Promise.all([postGzip(site, good, 'application/json'), stopped.sent]);
    assert.equal(answer.code, null, 'a good body beside many that stopped');
  } finally {
    stopped.end();
  }
  const counts = new Map<string, number>();
  for (const { code } of answers) counts.set(code ?? 'taken', (counts.get(code ?? 'taken') ?? 0) + 1);
  say(`a flood of bombs: ${[...counts].map(([code, n]) => `${n} ${code}`).join(', ')}`);
  return answers.length + 60;
}

async function postGzip({ service, key }: Site, body: Buffer, type: string): Promise<{ code: string | null }> {
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`${service.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': type, 'content-encoding': 'gzip' },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
    });
    const text = await answer.text();
    if (answer.status === 200) return { code: null };
    const [contentType, retryAfter] = [answer.headers.get('content-type') ?? '', answer.headers.get('retry-after')];
    const code = refusalOf({ status: answer.status, contentType, text, retryAfter }, 'a bomb');
    // What was good is sent again, as any producer would; bombs are not missed.
    if (code !== 'overloaded' || body.length > 2_000 || tries === 50) return { code };
  }
}

/** Connections with a body of ten MiB of which the end never comes. */
function stop({ service, key }: Site, connections: number): { sent: Promise<unknown>; end(): void } {
  const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${10 * MIB}\r\n\r\n`;
  const part = Buffer.alloc(10 * MIB - 100, ' ');
  const sockets = Array.from({ length: connections }, () => openSocket(service.url));
  const sent = sockets.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.on('error', () => resolve()).on('close', () => resolve());
        // A body that gives way is answered.
        socket.on('data', () => resolve());
        socket.write(head);
        socket.write(part, () => resolve());
      }),
  );
  return {
    sent: Promise.all(sent),
    end: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
