import { describe, expect, it } from 'vitest';
import { TestClock } from '../../test/rig/test-clock.ts';
import type { NewEvent } from '../event/logged-event.ts';
import type { ApiKey, ApiKeyStore } from '../store/api-keys.ts';
import { createKeyring } from './api-keys.ts';

const BY = { actor: { id: 'operator', type: 'system' } } as const;
const ORIGIN = { ipAddress: '192.0.2.7', endpoint: 'POST /v1/events' };
const REQUEST = { name: 'billing', team: 'acme', scopes: ['events:write'], expiresAt: null } as const;

/** A keyring over a store in memory that counts what is asked of it. */
function setUp() {
  const clock = new TestClock();
  const kept = new Map<string, ApiKey>();
  const audit: NewEvent[] = [];
  const asked = { lookups: 0, touches: [] as ReadonlyMap<string, number>[] };
  const store: ApiKeyStore = {
    findByHash: async (hash) => {
      asked.lookups++;
      return [...kept.values()].find((key) => key.hash === hash);
    },
    list: async (team) => [...kept.values()].filter((key) => team === undefined || key.team === team),
    create: async (key, events) => {
      kept.set(key.id, key);
      audit.push(...events);
    },
    revoke: async (id, at, events) => {
      kept.set(id, { ...kept.get(id)!, revokedAt: at });
      audit.push(...events);
      return true;
    },
    touch: async (marks) => void asked.touches.push(marks),
  };
  /** As after a restart: over the same store and log. */
  const newKeyring = () => createKeyring({ store, append: async (events) => audit.push(...events), clock });
  const keyring = newKeyring();
  const typesOf = (type: string) => audit.filter(({ eventType }) => eventType === type);
  return { clock, kept, audit, asked, store, keyring, newKeyring, typesOf };
}

describe('API keys', () => {
  it('are 256 random bits after tp_, kept only as a hash', async () => {
    const { keyring, kept } = setUp();
    const { secret } = await keyring.create(REQUEST, BY);
    expect(secret.reveal()).toMatch(/^tp_[A-Za-z0-9_-]{43}$/);
    expect(JSON.stringify([...kept.values()])).not.toContain(secret.reveal());
    expect((await keyring.create(REQUEST, BY)).secret.reveal()).not.toBe(secret.reveal());
  });

  it('say who holds them, and are looked up once in 30 s', async () => {
    const { keyring, clock, asked } = setUp();
    const { key, secret } = await keyring.create(REQUEST, BY);
    const holder = { kind: 'key', id: key.id, name: 'billing', team: 'acme', scopes: ['events:write'] };
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toEqual(holder);
    await clock.advance(29_999);
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toEqual(holder);
    expect(asked.lookups).toBe(1);
    await clock.advance(2);
    await keyring.authenticate(secret.reveal(), ORIGIN);
    expect(asked.lookups).toBe(2);
  });

  it('that nobody made are unknown; what is no key at all is not even looked up', async () => {
    const { keyring, asked } = setUp();
    expect(await keyring.authenticate(`tp_${'A'.repeat(43)}`, ORIGIN)).toBe('unknown');
    expect(asked.lookups).toBe(1);
    for (const text of ['', 'tp_short', `xx_${'A'.repeat(43)}`, `tp_${'A'.repeat(44)}`])
      expect(await keyring.authenticate(text, ORIGIN)).toBe('unknown');
    expect(asked.lookups).toBe(1);
  });

  it('stop at their expiry, remembered or not', async () => {
    const { keyring, clock } = setUp();
    const { secret } = await keyring.create({ ...REQUEST, expiresAt: clock.now() + 1000 }, BY);
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toMatchObject({ kind: 'key' });
    await clock.advance(1000);
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toBe('expired');
  });

  it('stop at once when revoked, though they are remembered', async () => {
    const { keyring } = setUp();
    const { key, secret } = await keyring.create(REQUEST, BY);
    await keyring.authenticate(secret.reveal(), ORIGIN);
    expect(await keyring.revoke(key.id, BY)).toBe(true);
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toBe('revoked');
    expect(await keyring.revoke(key.id, BY)).toBe(false);
    expect(await keyring.revoke('nobody', BY)).toBe(false);
  });

  it('revoked during a lookup are not remembered as good', async () => {
    const { keyring, store, kept } = setUp();
    const { key, secret } = await keyring.create(REQUEST, BY);
    const find = store.findByHash;
    const answers = Promise.withResolvers<ApiKey | undefined>();
    store.findByHash = () => answers.promise;
    const early = keyring.authenticate(secret.reveal(), ORIGIN);
    const before = kept.get(key.id);
    await keyring.revoke(key.id, BY);
    answers.resolve(before);
    await early;
    store.findByHash = find;
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toBe('revoked');
  });

  it('leave audit events of creation and revocation in their team, those of the installation in its own', async () => {
    const { keyring, typesOf } = setUp();
    const { key, secret } = await keyring.create(REQUEST, BY);
    await keyring.create({ ...REQUEST, team: null }, BY);
    await keyring.revoke(key.id, BY);
    expect(typesOf('apikey.created').map(({ team }) => team)).toEqual(['acme', '_installation']);
    expect(typesOf('apikey.revoked').map(({ team }) => team)).toEqual(['acme']);
    expect(JSON.parse(typesOf('apikey.revoked')[0]!.json).changes).toMatchObject({ previous: { revokedAt: null } });
    expect(JSON.stringify(typesOf('apikey.created'))).not.toContain(secret.reveal());
  });

  it('leave one event of their use an hour and address', async () => {
    const { keyring, clock, typesOf } = setUp();
    const { secret } = await keyring.create(REQUEST, BY);
    const use = (ipAddress: string) => keyring.authenticate(secret.reveal(), { ...ORIGIN, ipAddress });
    await use('192.0.2.7');
    await use('192.0.2.7');
    await use('192.0.2.8');
    expect(typesOf('apikey.used')).toHaveLength(2);
    await clock.advance(3_600_001);
    await use('192.0.2.7');
    expect(typesOf('apikey.used')).toHaveLength(3);
    expect(JSON.parse(typesOf('apikey.used')[0]!.json)).toMatchObject({
      actor: { type: 'service', name: 'billing' },
      context: { ipAddress: '192.0.2.7', teamId: 'acme' },
      metadata: { endpoint: 'POST /v1/events' },
    });
  });

  it('leave the same event of their use after a restart within the hour, so that the log keeps one', async () => {
    const { keyring, newKeyring, clock, typesOf } = setUp();
    const { secret } = await keyring.create(REQUEST, BY);
    await keyring.authenticate(secret.reveal(), ORIGIN);
    await clock.advance(60_000);
    await newKeyring().authenticate(secret.reveal(), ORIGIN);
    await newKeyring().authenticate(secret.reveal(), { ...ORIGIN, ipAddress: '192.0.2.8' });
    await clock.advance(3_600_000);
    await newKeyring().authenticate(secret.reveal(), ORIGIN);
    const [first, again, elsewhere, later] = typesOf('apikey.used').map(({ id }) => id);
    expect(again).toBe(first);
    expect(new Set([first, elsewhere, later]).size).toBe(3);
  });

  it('are marked used at most once a minute, all together, and what is left when closing', async () => {
    const { keyring, clock, asked } = setUp();
    const { key, secret } = await keyring.create(REQUEST, BY);
    const first = clock.now();
    await keyring.authenticate(secret.reveal(), ORIGIN);
    expect(asked.touches).toEqual([]);
    expect((await keyring.list())[0]).toMatchObject({ lastUsedAt: first });
    await clock.advance(60_000);
    await keyring.authenticate(secret.reveal(), ORIGIN);
    await keyring.authenticate(secret.reveal(), ORIGIN);
    expect(asked.touches).toEqual([new Map([[key.id, first + 60_000]])]);
    await keyring.close();
    expect(asked.touches).toHaveLength(2);
  });

  it('work while marks of their use cannot be kept', async () => {
    const { keyring, store, clock } = setUp();
    const { secret } = await keyring.create(REQUEST, BY);
    store.touch = async () => Promise.reject(new Error('disk full'));
    await clock.advance(60_000);
    expect(await keyring.authenticate(secret.reveal(), ORIGIN)).toMatchObject({ kind: 'key' });
    await keyring.close();
  });
});
