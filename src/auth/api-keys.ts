import { hash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Scope } from '../contract/scopes.ts';
import type { NewEvent, TeamId } from '../event/logged-event.ts';
import { INSTALLATION_TEAM, type OwnEvent, ownEvent } from '../event/own-event.ts';
import { Secret } from '../secrets.ts';
import type { ApiKey, ApiKeyStore } from '../store/api-keys.ts';
import { type Actor, auditActor, type Origin, type Principal } from './principal.ts';

/** API keys: who holds which, made, used and revoked. One per process, so that a revoked key stops at once everywhere. */
export interface Keyring {
  /**
   * Who holds this key, or why nobody may use it. Remembers answers for 30 s (unknown keys: 5 s); marks the key used.
   * `endpoint` is the route, for the `apikey.used` event that each key and address causes at most once an hour.
   */
  authenticate(key: string, origin: Origin & { readonly endpoint: string }): Promise<Principal | KeyRefusal>;
  /** Makes a key. The secret is given here and never again. */
  create(key: KeyRequest, by: Actor): Promise<{ readonly key: ApiKey; readonly secret: Secret }>;
  /** Stops the key at once. False when there is no such unrevoked key. */
  revoke(id: string, by: Actor): Promise<boolean>;
  /** Asks the store anew about every key: those of a deleted team stopped. */
  forget(): void;
  /** Newest first; all, or those of one team. */
  list(team?: TeamId): Promise<readonly ApiKey[]>;
  /** Writes down what is not yet: uses of keys. */
  close(): Promise<void>;
}

export type KeyRefusal = 'unknown' | 'expired' | 'revoked';

interface KeyRequest {
  readonly name: string;
  readonly team: TeamId | null;
  readonly scopes: readonly Scope[];
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
}

export function createKeyring(options: {
  readonly store: ApiKeyStore;
  readonly append: (events: readonly NewEvent[]) => Promise<unknown>;
  readonly clock: Clock;
}): Keyring {
  const { store, append, clock } = options;
  // The test clock must age the caches too; a cached "unknown" is null.
  const perf = { now: () => clock.now() };
  const found = new LRUCache<string, { key: ApiKey | null }>({ max: 10_000, ttl: FOUND_MS, ttlResolution: 0, perf });
  const reported = new LRUCache<string, true>({ max: 10_000, ttl: REPORT_MS, ttlResolution: 0, perf });
  const used = new Map<string, number>();
  const writing = new Set<Promise<unknown>>();
  let flushedAt = clock.now();
  let revocations = 0;

  /** Lets `write` happen beside the request; `close` waits for it. A lost mark of use must not refuse a request. */
  const beside = (write: Promise<unknown>): void => {
    const settled = write.catch(() => {}).finally(() => writing.delete(settled));
    writing.add(settled);
  };

  const find = async (digest: string): Promise<ApiKey | null> => {
    const cached = found.get(digest);
    if (cached) return cached.key;
    const before = revocations;
    const key = (await store.findByHash(digest)) ?? null;
    // Read before a revocation, answered after it: true then, no longer.
    if (before === revocations) found.set(digest, { key }, { ttl: key ? FOUND_MS : UNKNOWN_MS });
    return key;
  };

  const forget = (): void => {
    revocations += 1;
    found.clear();
  };

  const flush = async (): Promise<void> => {
    flushedAt = clock.now();
    const marks = new Map(used);
    used.clear();
    if (marks.size > 0) await store.touch(marks);
  };

  const noteUse = (key: ApiKey, principal: Principal, origin: Origin & { readonly endpoint: string }): void => {
    used.set(key.id, clock.now());
    if (clock.now() - flushedAt >= FLUSH_MS) beside(flush());
    const place = `${key.id} ${origin.ipAddress}`;
    if (reported.has(place)) return;
    reported.set(place, true);
    const { endpoint, ...context } = origin;
    const at = clock.now();
    const event = ownEvent({
      ...keyEvent('apikey.used', key, auditActor(principal, context), at),
      // The same all through an hour: what a process before this one has reported, the log does not take again.
      id: `used-${hash('sha256', `${place} ${Math.floor(at / REPORT_MS)}`, 'hex')}`,
      description: `API key "${key.name}" was used`,
      metadata: { endpoint },
    });
    beside(append([event]));
  };

  return {
    authenticate: async (text, origin) => {
      if (!KEY.test(text)) return 'unknown';
      const key = await find(hash('sha256', text, 'hex'));
      if (!key) return 'unknown';
      if (key.revokedAt !== null) return 'revoked';
      if (key.expiresAt !== null && key.expiresAt <= clock.now()) return 'expired';
      const principal: Principal = { kind: 'key', id: key.id, name: key.name, team: key.team, scopes: key.scopes };
      noteUse(key, principal, origin);
      return principal;
    },
    create: async (request, by) => {
      const secret = new Secret(`tp_${randomBytes(32).toString('base64url')}`);
      const at = clock.now();
      const key: ApiKey = {
        ...request,
        id: randomUUIDv7(),
        hash: hash('sha256', secret.reveal(), 'hex'),
        createdAt: at,
        revokedAt: null,
        lastUsedAt: null,
      };
      const current = { scopes: key.scopes, expiresAt: key.expiresAt && new Date(key.expiresAt).toISOString() };
      const description = `API key "${key.name}" was created`;
      await store.create(key, [
        ownEvent({ ...keyEvent('apikey.created', key, by, at), description, changes: { current } }),
      ]);
      return { key, secret };
    },
    revoke: async (id, by) => {
      const key = (await store.list()).find((k) => k.id === id);
      if (!key || key.revokedAt !== null) return false;
      const at = clock.now();
      const description = `API key "${key.name}" was revoked`;
      const revoked = await store.revoke(id, at, [
        ownEvent({ ...keyEvent('apikey.revoked', key, by, at), description, changes: revocation(at) }),
      ]);
      forget();
      return revoked;
    },
    forget,
    list: async (team) =>
      (await store.list(team)).map((key) => ({ ...key, lastUsedAt: used.get(key.id) ?? key.lastUsedAt })),
    close: async () => {
      beside(flush());
      await Promise.all(writing);
    },
  };
}

const KEY = /^tp_[A-Za-z0-9_-]{43}$/;
const FOUND_MS = 30_000;
const UNKNOWN_MS = 5_000;
const FLUSH_MS = 60_000;
const REPORT_MS = 3_600_000;

function revocation(at: number) {
  return { previous: { revokedAt: null }, current: { revokedAt: new Date(at).toISOString() } };
}

function keyEvent(eventType: string, key: ApiKey, by: Actor, at: number): Omit<OwnEvent, 'description'> {
  const target = { type: 'api_key', id: key.id, name: key.name };
  return { ...by, team: key.team ?? INSTALLATION_TEAM, eventType, target, at };
}
