import { describe, expect, it } from 'vitest';
import type { ApiKey } from './api-keys.ts';
import { NOON, newEvent, readAll, type StoreFixture } from './conformance-fixture.ts';
import { DEFAULT_ALERTS, type Team } from './teams.ts';

export function describeConfiguration(fixture: StoreFixture): void {
  describe('teams', () => {
    const acme: Team = { id: 'acme', name: 'Acme', retentionDays: 30, createdAt: NOON, alerts: DEFAULT_ALERTS };

    it('are created once, together with their audit event', async () => {
      expect(await fixture.store.teams.create(acme, [newEvent('acme', 'created')])).toBe(true);
      expect(await fixture.store.teams.create({ ...acme, name: 'Other' }, [newEvent('acme', 'again')])).toBe(false);
      await fixture.reopen();
      expect(await fixture.store.teams.list()).toEqual([acme]);
      expect(await fixture.store.teams.get('acme')).toEqual(acme);
      expect(await fixture.store.teams.get('nobody')).toBeUndefined();
      expect((await readAll(fixture.store.log, 'acme')).map((event) => event.id)).toEqual(['created']);
    });

    it('come into being with their first event', async () => {
      await fixture.store.log.append([newEvent('Ünïcode / team', 'x')]);
      const id = 'Ünïcode / team';
      const team = { id, name: id, retentionDays: 365, createdAt: NOON, alerts: DEFAULT_ALERTS };
      expect(await fixture.store.teams.get(id)).toEqual(team);
    });
  });

  describe('API keys', () => {
    const key = (id: string, team: string | null): ApiKey => ({
      id,
      name: `key ${id}`,
      team,
      scopes: ['events:read', 'events:write'],
      hash: `hash of ${id}`,
      createdAt: NOON,
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
    });

    it('are found by hash and listed newest first', async () => {
      const { keys } = fixture.store;
      const limited = { ...key('k3', 'a'), expiresAt: NOON + 1 };
      for (const each of [key('k1', 'a'), key('k2', null), limited]) await keys.create(each, []);
      expect(await keys.findByHash('hash of k3')).toEqual(limited);
      expect(await keys.findByHash('hash of k4')).toBeUndefined();
      expect((await keys.list()).map((each) => each.id)).toEqual(['k3', 'k2', 'k1']);
      expect(await keys.list('a')).toEqual([limited, key('k1', 'a')]);
    });

    it('are created and revoked together with their audit events, revoked once', async () => {
      await fixture.store.keys.create(key('k1', 'a'), [newEvent('a', 'created')]);
      await expect(fixture.store.keys.create(key('k1', 'a'), [newEvent('a', 'twice')])).rejects.toThrow();
      expect(await fixture.store.keys.revoke('k1', NOON + 1, [newEvent('a', 'revoked')])).toBe(true);
      expect(await fixture.store.keys.revoke('k1', NOON + 2, [newEvent('a', 'late')])).toBe(false);
      expect(await fixture.store.keys.revoke('k9', NOON + 2, [newEvent('a', 'late')])).toBe(false);
      await fixture.reopen();
      expect((await fixture.store.keys.findByHash('hash of k1'))?.revokedAt).toBe(NOON + 1);
      expect((await readAll(fixture.store.log, 'a')).map((event) => event.id)).toEqual(['created', 'revoked']);
    });

    it('remember their latest use', async () => {
      const { keys } = fixture.store;
      await keys.create(key('k1', 'a'), []);
      await keys.touch(
        new Map([
          ['k1', NOON + 5],
          ['unknown', NOON],
        ]),
      );
      await keys.touch(new Map([['k1', NOON + 3]]));
      expect((await keys.findByHash('hash of k1'))?.lastUsedAt).toBe(NOON + 5);
    });
  });
}
