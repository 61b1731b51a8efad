import { argon2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashPassword, verifyPassword } from './password-hash.ts';

describe('a hashed password', () => {
  it('verifies itself and nothing else', async () => {
    const hash = await hashPassword('lively otter cabinet');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=33792,t=2,p=1\$[^$]{22}\$[^$]{43}$/);
    expect(await verifyPassword({ hash, password: 'lively otter cabinet' })).toBe(true);
    expect(await verifyPassword({ hash, password: 'lively otter cabineT' })).toBe(false);
    expect(await hashPassword('lively otter cabinet')).not.toBe(hash);
  });

  it('is the same however its letters were composed', async () => {
    const hash = await hashPassword('zo\u0308glfrump dwarg');
    expect(await verifyPassword({ hash, password: 'z\u00f6glfrump dwarg' })).toBe(true);
  });

  it('verifies under the parameters it was made with', async () => {
    const nonce = Buffer.alloc(16, 7);
    const tag = argon2Sync('argon2id', {
      message: 'old',
      nonce,
      memory: 1024,
      passes: 3,
      parallelism: 2,
      tagLength: 24,
    });
    const hash = `$argon2id$v=19$m=1024,t=3,p=2$${nonce.toString('base64').replace(/=+$/, '')}$${tag.toString('base64')}`;
    expect(await verifyPassword({ hash, password: 'old' })).toBe(true);
    expect(await verifyPassword({ hash, password: 'new' })).toBe(false);
  });

  it('that is no such hash verifies nothing', async () => {
    for (const hash of ['', 'old', '$argon2i$v=19$m=1024,t=3,p=2$AAAA$AAAA'])
      expect(await verifyPassword({ hash, password: 'old' })).toBe(false);
  });

  it('does not hold up the thread', async () => {
    const order: string[] = [];
    const hashed = hashPassword('lively otter cabinet').then(() => order.push('hashed'));
    await new Promise(setImmediate);
    order.push('others');
    await hashed;
    expect(order).toEqual(['others', 'hashed']);
  });
});
