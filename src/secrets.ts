import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** A credential in memory. Printing, logging or serialising it shows `[secret]`; only `reveal()` gives the value. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

/**
 * Seals credentials for the database: AES-256-GCM under the master key, with the owner (for example
 * `destination:<id>:token`) bound in as additional data, so that a sealed value copied to another row does not open.
 * The text form is `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url; the key id says which master key sealed it.
 */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;

  /** `key` seals and opens; `previous` only open (master key rotation). Each is 32 bytes. */
  constructor(key: Buffer, previous: readonly Buffer[] = []) {
    for (const k of [key, ...previous]) if (k.length !== 32) throw new RangeError('a master key has 32 bytes');
    this.#current = keyId(key);
    this.#keys = new Map([...previous, key].map((k) => [keyId(k), k]));
  }

  seal(secret: Secret, owner: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.#current), nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(secret.reveal(), 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${this.#current}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
  }

  /** Throws when the text was sealed for another owner, under an unknown key, or was changed. */
  open(sealed: string, owner: string): Secret {
    const [version, id, nonce, body] = sealed.split('.');
    if (version !== 'v1' || !id || !nonce || !body) throw new Error('not a sealed secret');
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#key(id), Buffer.from(nonce, 'base64url'))
      .setAAD(Buffer.from(owner))
      .setAuthTag(bytes.subarray(-16));
    return new Secret(decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8'));
  }

  isCurrent(sealed: string): boolean {
    return sealed.split('.')[1] === this.#current;
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id);
    if (!key)
      throw new Error(`sealed under a master key that is not configured (key id ${id}); restore that MASTER_KEY`);
    return key;
  }
}

function keyId(key: Buffer): string {
  return hash('sha256', key, 'hex').slice(0, 8);
}
