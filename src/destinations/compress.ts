import { promisify } from 'node:util';
import { constants, gzip, gzipSync } from 'node:zlib';
import { giveBack } from '../give-back.ts';

/** Below this a body is sent as it is: gzip would cost more than it saves in a packet. */
const SMALLEST_BYTES = 1_500;

/** Up to this a body is compressed at once, in some 30 µs: to hand it to another thread costs three times as much. */
const AT_ONCE_BYTES = 16 * 1024;

const deflate = promisify(gzip);

export interface CompressedBody {
  readonly body: Buffer;
  /** `content-encoding: gzip` when the body was compressed, else nothing; to be spread into the request's headers. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Compresses a body at level 1, a large one on libuv's threads: audit JSON shrinks tenfold, and higher levels cost CPU
 * for little. A buffer is taken over: nothing else may use it afterwards.
 */
export async function compress(plain: Buffer): Promise<CompressedBody> {
  if (plain.length < SMALLEST_BYTES) return { body: plain, headers: {} };
  // For each piece zlib comes back to this thread and waits: mostly there is room for all in the first.
  const options = { level: constants.Z_BEST_SPEED, chunkSize: Math.ceil(plain.length / 6) };
  const body = plain.length <= AT_ONCE_BYTES ? gzipSync(plain, options) : await deflate(plain, options);
  giveBack(plain);
  return { body, headers: { 'content-encoding': 'gzip' } };
}
