import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Argon2id on libuv's threads, with 2 passes over 33 MiB: more than OWASP's 2 over 19 MiB, and above the 32 MiB from
 * which glibc gives a block back to the system at once (mallopt(3), M_MMAP_THRESHOLD). Smaller ones stay with the thread
 * they were made on: 135 MiB were seen. The text form is PHC's, so that what was hashed otherwise still verifies.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await derive(password, { nonce, memory: MEMORY_KIB, passes: 2, parallelism: 1, tagLength: 32 });
  return `$argon2id$v=19$m=${MEMORY_KIB},t=2,p=1$${base64(nonce)}$${base64(tag)}`;
}

const MEMORY_KIB = 33 * 1024;

export async function verifyPassword({ hash, password }: { hash: string; password: string }): Promise<boolean> {
  const [, m, t, p, nonce, tag] = PHC.exec(hash) ?? [];
  if (!nonce || !tag) return false;
  const expected = Buffer.from(tag, 'base64');
  const actual = await derive(password, {
    nonce: Buffer.from(nonce, 'base64'),
    memory: Number(m),
    passes: Number(t),
    parallelism: Number(p),
    tagLength: expected.length,
  });
  return timingSafeEqual(actual, expected);
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const argon2Async = promisify(argon2);
let last: Promise<unknown> = Promise.resolve();

/** One at a time: many sign-ins at once must cost time, not 33 MiB each. */
function derive(password: string, parameters: Omit<Argon2Parameters, 'message'>): Promise<Buffer> {
  // NFKC: the same password typed on another keyboard is the same (NIST SP 800-63B-4 §3.1.1.2).
  const message = password.normalize('NFKC');
  const derived = last.then(() => argon2Async('argon2id', { ...parameters, message }));
  last = derived.catch(() => {});
  return derived;
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
