import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { giveBack } from '../give-back.ts';
import { problem } from './problem.ts';

/** A body that was read whole. It counts as held until it is let go; then its bytes are gone. */
export interface HeldBody {
  readonly bytes: Buffer;
  letGo(): void;
}

/** Reads whole bodies, decompressed, and bounds what all of them take in memory together. */
export interface BodyReader {
  /**
   * Throws a problem: too large, not gzip, broken off, another encoding; `overloaded` where all bodies would take too
   * much and this one is the largest that has not come whole. So whoever sends much, or stops in the middle, gives way.
   */
  read(body: Readable, encoding: string | undefined): Promise<HeldBody>;
}

export interface BodyLimits {
  /** Of one body, as sent and decompressed. */
  readonly bytes: number;
  /** Of all bodies held or being read. */
  readonly allBytes: number;
}

export function createBodyReader({ bytes: most, allBytes }: BodyLimits): BodyReader {
  const coming = new Set<Coming>();
  let held = 0;

  /** Counts what came of `one`; where that is too much, the largest body that is still coming is refused. */
  const count = (one: Coming, bytes: number): void => {
    one.bytes += bytes;
    held += bytes;
    while (held > allBytes && coming.size > 0) {
      const largest = [...coming].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      largest.refuse(problem('overloaded', 'Too much is being sent at this moment; send this again later.', RETRY));
    }
  };

  return {
    read: (body, encoding) => {
      const gunzip = decompressorOf(encoding);
      const source = gunzip ?? body;
      return new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        let sent = 0;
        const leave = (): void => {
          coming.delete(one);
          source.off('data', onData).off('end', onEnd);
          body.off('data', onSent);
          if (!gunzip) return;
          body.unpipe(gunzip);
          gunzip.destroy();
        };
        const letGo = (): void => {
          held -= one.bytes;
          one.bytes = 0;
        };
        const refuse = (error: Error): void => {
          if (!coming.has(one)) return;
          leave();
          letGo();
          // The rest is read and thrown away.
          body.resume();
          reject(error);
        };
        const one: Coming = { bytes: 0, refuse };
        const onSent = (chunk: Buffer): void => {
          sent += chunk.length;
          if (sent > most) refuse(problem('body_too_large'));
        };
        const onData = (chunk: Buffer): void => {
          if (one.bytes + chunk.length > most) refuse(tooLarge(gunzip !== null));
          else {
            chunks.push(chunk);
            count(one, chunk.length);
          }
        };
        const onEnd = (): void => {
          leave();
          const bytes = Buffer.concat(chunks, one.bytes);
          // A chunk with memory of its own; a socket's are so large that garbage of them would fill tens of megabytes.
          for (const chunk of chunks) if (chunk.length === chunk.buffer.byteLength) giveBack(chunk);
          resolve({
            bytes,
            letGo: () => {
              letGo();
              giveBack(bytes);
            },
          });
        };
        coming.add(one);
        const brokeOff = (cause?: Error): void => refuse(problem('invalid_body', 'The body broke off.', { cause }));
        // These stay: an error that comes later has to be heard too.
        body.on('error', brokeOff).on('close', () => void (body.readableEnded || brokeOff()));
        gunzip?.on('error', (cause) => {
          const detail = 'The body is not gzip, though its Content-Encoding says so.';
          refuse(problem('invalid_body', detail, { cause }));
        });
        if (gunzip) {
          body.on('data', onSent);
          body.pipe(gunzip);
        }
        source.on('data', onData).on('end', onEnd);
        if (body.destroyed) brokeOff();
      });
    },
  };
}

/** A body of which more is to come. */
interface Coming {
  /** Decompressed, so far. */
  bytes: number;
  refuse(error: Error): void;
}

const RETRY = { headers: { 'retry-after': '1' } };

function decompressorOf(encoding = 'identity'): Gunzip | null {
  switch (encoding.toLowerCase()) {
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    default:
      throw problem('unsupported_encoding', `"${encoding}" is not supported: send gzip, or no Content-Encoding.`);
  }
}

function tooLarge(isDecompressed: boolean): Error {
  return problem('body_too_large', isDecompressed ? 'The body has more than 10 MiB when decompressed.' : undefined);
}
