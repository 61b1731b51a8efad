import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createBodyReader } from './request-body.ts';

const LIMITS = { bytes: 1000, allBytes: 2500 };

describe('a body', () => {
  it('is read whole, decompressed', async () => {
    const { read } = createBodyReader(LIMITS);
    expect((await read(sent('ab', 'cd'), undefined)).bytes.toString()).toBe('abcd');
    const zipped = Buffer.concat([gzipSync('one '), gzipSync('two')]);
    expect((await read(sent(zipped.subarray(0, 30), zipped.subarray(30)), 'GZIP')).bytes.toString()).toBe('one two');
  });

  it.each([
    ['too large', sent('x'.repeat(600), 'x'.repeat(600)), undefined, 'body_too_large'],
    ['too large when decompressed', sent(gzipSync('x'.repeat(1001))), 'gzip', 'body_too_large'],
    ['too large before', sent(gzipSync(Buffer.alloc(1000).fill('x')), 'y'.repeat(2000)), 'gzip', 'body_too_large'],
    ['no gzip', sent('{}'), 'gzip', 'invalid_body'],
    ['cut short', sent(gzipSync('{}').subarray(0, 15)), 'gzip', 'invalid_body'],
    ['of another encoding', sent('{}'), 'gzip, gzip', 'unsupported_encoding'],
  ])('that is %s is refused', async (_, body, encoding, code) => {
    const reader = createBodyReader(LIMITS);
    await expect(async () => reader.read(body, encoding)).rejects.toMatchObject({ code });
    await expectRoomFor(reader, 2500);
  });

  it('that breaks off is refused, and holds nothing', async () => {
    const reader = createBodyReader(LIMITS);
    const open = new PassThrough();
    const broken = reader.read(open, undefined);
    open.write('x'.repeat(900));
    open.destroy();
    await expect(broken).rejects.toMatchObject({ code: 'invalid_body' });
    await expect(reader.read(open, undefined)).rejects.toMatchObject({ code: 'invalid_body' });
    await expectRoomFor(reader, 2500);
  });

  it('of those still coming gives way when it is the largest and all are too much', async () => {
    const { read } = createBodyReader(LIMITS);
    const stopped = new PassThrough();
    const refused = read(stopped, undefined);
    stopped.write('x'.repeat(990));
    const held = await read(sent('x'.repeat(900)), undefined);
    const [small] = await Promise.all([
      read(sent('x'.repeat(700)), undefined),
      expect(refused).rejects.toMatchObject({ code: 'overloaded', more: { headers: { 'retry-after': '1' } } }),
    ]);
    expect(small.bytes).toHaveLength(700);
    held.letGo();
    held.letGo();
    expect((await read(sent('x'.repeat(1000)), undefined)).bytes).toHaveLength(1000);
  });
});

function sent(...pieces: (string | Uint8Array)[]): PassThrough {
  const body = new PassThrough();
  for (const piece of pieces) body.write(piece);
  body.end();
  return body;
}

async function expectRoomFor({ read }: ReturnType<typeof createBodyReader>, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= 500) await read(sent('x'.repeat(500)), undefined);
}
