import { describe, expect, it } from 'vitest';
import type { Role } from '../contract/roles.ts';
import { NOON, newEvent, newEvents, readAll, type StoreFixture } from './conformance-fixture.ts';
import type { Invitation, Membership, PeopleStore, SavedFilter } from './people.ts';
import { DEFAULT_ALERTS, type Team } from './teams.ts';

export function describePeople(fixture: StoreFixture): void {
  const auditIds = async (team = 'a'): Promise<string[]> =>
    (await readAll(fixture.store.log, team)).map((event) => event.id);
  const join = (user: string, role: Role = 'member', team = 'a'): Promise<boolean> =>
    fixture.store.people.join(membership(team, user, role), null, [newEvent(team, `${user} joined`)]);

  describe('people', () => {
    it('are kept with their role in each team, oldest first', async () => {
      await join('zoe', 'owner');
      await join('ana', 'auditor');
      await join('zoe', 'member', 'b');
      await fixture.reopen();
      const { people } = fixture.store;
      expect(await people.membersOf('a')).toEqual([membership('a', 'zoe', 'owner'), membership('a', 'ana', 'auditor')]);
      expect(await people.membershipsOf('zoe')).toEqual([
        membership('a', 'zoe', 'owner'),
        membership('b', 'zoe', 'member'),
      ]);
      expect(await people.membershipsOf('nobody')).toEqual([]);
      expect(await auditIds()).toEqual(['zoe joined', 'ana joined']);
    });

    it('join a team once', async () => {
      const invited = invitation('i1', 'ana@acme.com');
      await fixture.store.people.invite(invited, []);
      expect(await join('ana', 'admin')).toBe(true);
      const again = [newEvent('a', 'again')];
      expect(await fixture.store.people.join(membership('a', 'ana', 'owner'), null, again)).toBe(false);
      expect(await fixture.store.people.join(membership('a', 'ana', 'owner'), 'i1', again)).toBe(false);
      expect(await fixture.store.people.membersOf('a')).toEqual([membership('a', 'ana', 'admin')]);
      expect(await fixture.store.people.invitations('a')).toEqual([invited]);
      expect(await auditIds()).toEqual(['ana joined']);
    });

    it('are changed and leave together with their audit events', async () => {
      const { people } = fixture.store;
      await join('owner', 'owner');
      await join('ana');
      expect(await people.change('a', 'ana', { role: 'admin' }, [newEvent('a', 'admin')])).toBe('done');
      expect(await people.change('a', 'ana', { deactivatedAt: NOON + 1 }, [newEvent('a', 'off')])).toBe('done');
      const ana = { ...membership('a', 'ana', 'admin'), deactivatedAt: NOON + 1 };
      expect(await people.membershipsOf('ana')).toEqual([ana]);
      expect(await people.change('a', 'ana', { deactivatedAt: null }, [newEvent('a', 'on')])).toBe('done');
      expect(await people.membershipsOf('ana')).toEqual([membership('a', 'ana', 'admin')]);
      expect(await people.leave('a', 'ana', [newEvent('a', 'left')])).toBe('done');
      expect(await people.membershipsOf('ana')).toEqual([]);
      const late = [newEvent('a', 'late')];
      expect(await people.leave('a', 'ana', late)).toBe('unknown');
      expect(await people.change('a', 'ana', { role: 'owner' }, late)).toBe('unknown');
      expect(await people.change('b', 'owner', { role: 'member' }, late)).toBe('unknown');
      expect(await auditIds()).toEqual(['owner joined', 'ana joined', 'admin', 'off', 'on', 'left']);
    });

    const stepsDown: Record<string, (people: PeopleStore, user: string) => Promise<unknown>> = {
      'give up the role': (people, user) => people.change('a', user, { role: 'admin' }, [newEvent('a', user)]),
      'are deactivated': (people, user) => people.change('a', user, { deactivatedAt: NOON }, [newEvent('a', user)]),
      leave: (people, user) => people.leave('a', user, [newEvent('a', user)]),
    };

    it.each(Object.entries(stepsDown))('keep one active Owner when two %s at the same moment', async (_, stepDown) => {
      const { people } = fixture.store;
      await join('ana', 'owner');
      await join('li', 'owner');
      await join('resting', 'owner');
      await join('admin', 'admin');
      await people.change('a', 'resting', { deactivatedAt: NOON }, []);
      expect(await Promise.all(['ana', 'li'].map((user) => stepDown(people, user)))).toEqual(['done', 'last_owner']);
      const members = await people.membersOf('a');
      expect(members.filter(({ role, deactivatedAt }) => role === 'owner' && deactivatedAt === null)).toEqual([
        membership('a', 'li', 'owner'),
      ]);
      expect((await auditIds()).slice(4)).toEqual(['ana']);
      expect(await people.change('a', 'admin', { role: 'member' }, [])).toBe('done');
      expect(await people.change('a', 'li', { role: 'owner', deactivatedAt: null }, [])).toBe('done');
    });
  });

  describe('invitations', () => {
    it('are found by the hash of their token and replaced by a new one to the same address', async () => {
      const { people } = fixture.store;
      const first = invitation('i1', 'ana@acme.com');
      const other = invitation('i2', 'li@acme.com');
      for (const each of [first, other, invitation('i3', 'ana@acme.com', 'b')])
        await people.invite(each, [newEvent(each.team, `${each.id} made`)]);
      expect(await people.invitations('a')).toEqual([other, first]);
      expect(await people.invitationsTo('Ana@acme.com')).toEqual([invitation('i3', 'ana@acme.com', 'b'), first]);
      const second = { ...invitation('i4', 'Ana@Acme.com'), role: 'auditor' as const };
      await people.invite(second, [newEvent('a', 'i4 made')]);
      await fixture.reopen();
      const reopened = fixture.store.people;
      expect(await reopened.invitations('a')).toEqual([second, other]);
      expect(await reopened.invitationByHash('hash of i1')).toBeUndefined();
      expect(await reopened.invitationByHash('hash of i4')).toEqual(second);
      expect(await reopened.invitations('b')).toEqual([invitation('i3', 'ana@acme.com', 'b')]);
      expect(await auditIds()).toEqual(['i1 made', 'i2 made', 'i4 made']);
    });

    it('stay as they are when one to replace them cannot be kept', async () => {
      const { people } = fixture.store;
      const first = invitation('i1', 'ana@acme.com');
      await people.invite(first, []);
      await people.invite(invitation('i2', 'li@acme.com'), []);
      const taken = { ...invitation('i3', 'ana@acme.com'), hash: 'hash of i2' };
      await expect(people.invite(taken, [newEvent('a', 'not to be seen')])).rejects.toThrow();
      expect(await people.invitationByHash('hash of i1')).toEqual(first);
      expect(await auditIds()).toEqual([]);
    });

    it('are used up by exactly one of those who join at the same moment', async () => {
      const { people } = fixture.store;
      await people.invite(invitation('i1', 'ana@acme.com'), []);
      await people.invite(invitation('i2', 'li@acme.com'), []);
      const users = ['u1', 'u2', 'u3', 'u4'];
      const joined = await Promise.all(
        users.map((user) => people.join(membership('a', user, 'member'), 'i1', [newEvent('a', `${user} joined`)])),
      );
      expect(joined).toEqual([true, false, false, false]);
      expect((await people.membersOf('a')).map(({ user }) => user)).toEqual(['u1']);
      expect((await people.invitations('a')).map(({ id }) => id)).toEqual(['i2']);
      expect(await auditIds()).toEqual(['u1 joined']);
    });

    it('open no other team, and are revoked once', async () => {
      const { people } = fixture.store;
      await people.invite(invitation('i1', 'ana@acme.com'), []);
      expect(await people.join(membership('b', 'ana', 'owner'), 'i1', [])).toBe(false);
      expect(await people.revokeInvitation('b', 'i1', [newEvent('b', 'foreign')])).toBe(false);
      expect(await people.revokeInvitation('a', 'i1', [newEvent('a', 'revoked')])).toBe(true);
      expect(await people.revokeInvitation('a', 'i1', [newEvent('a', 'again')])).toBe(false);
      expect(await people.join(membership('a', 'ana', 'owner'), 'i1', [])).toBe(false);
      expect(await auditIds()).toEqual(['revoked']);
      expect(await auditIds('b')).toEqual([]);
    });
  });

  it('keeps saved filters for one person in one team, newest first, until removed or the person leaves', async () => {
    const { people } = fixture.store;
    await join('owner', 'owner');
    await join('ana');
    const [one, two, elsewhere] = [filter('f1', 'a'), filter('f2', 'a'), filter('f3', 'b')];
    for (const each of [one, two, elsewhere]) await people.saveFilter(each);
    await expect(people.saveFilter(one)).rejects.toThrow();
    expect(await people.savedFilters('a', 'ana')).toEqual([two, one]);
    expect(await people.savedFilters('a', 'owner')).toEqual([]);
    expect(await people.removeFilter('a', 'owner', 'f1')).toBe(false);
    expect(await people.removeFilter('a', 'ana', 'f1')).toBe(true);
    expect(await people.removeFilter('a', 'ana', 'f1')).toBe(false);
    expect(await people.savedFilters('a', 'ana')).toEqual([two]);
    await people.leave('a', 'ana', []);
    expect(await people.savedFilters('a', 'ana')).toEqual([]);
    expect(await people.savedFilters('b', 'ana')).toEqual([elsewhere]);
  });

  describe('a team', () => {
    it('is changed together with its audit event', async () => {
      const { teams } = fixture.store;
      await teams.create(team('a'), []);
      const webhook = { url: 'https://hooks.example/1', sealed: 'v1.sealed' };
      const changed = { ...team('a'), name: 'Acme GmbH', retentionDays: 7, alerts: { mail: false, webhook } };
      expect(await teams.update(changed, [newEvent('a', 'updated')])).toBe(true);
      expect(await teams.update(team('nowhere'), [newEvent('a', 'not to be seen')])).toBe(false);
      await fixture.reopen();
      expect(await fixture.store.teams.list()).toEqual([changed]);
      expect(await auditIds()).toEqual(['updated']);
    });

    it('is gone for people and programs at once when it is removed', async () => {
      const { teams, people, keys } = fixture.store;
      for (const id of ['a', 'b']) {
        await teams.create(team(id), []);
        await join('ana', 'owner', id);
        await people.invite(invitation(`i-${id}`, 'li@acme.com', id), []);
        await people.saveFilter(filter(`f-${id}`, id));
        await keys.create(key(`k-${id}`, id), []);
      }
      await keys.create({ ...key('old', 'a'), revokedAt: NOON }, []);
      const audit = [newEvent('a', 'removed'), newEvent('_installation', 'a removed')];
      expect(await teams.remove('a', NOON + 5, audit)).toBe(true);
      expect(await teams.remove('a', NOON + 6, [newEvent('_installation', 'again')])).toBe(false);
      expect(await teams.remove('nowhere', NOON + 6, [newEvent('_installation', 'again')])).toBe(false);
      expect((await teams.list()).map(({ id }) => id)).toEqual(['b', '_installation']);
      expect(await people.membershipsOf('ana')).toEqual([membership('b', 'ana', 'owner')]);
      expect(await people.membersOf('a')).toEqual([]);
      expect(await people.invitations('a')).toEqual([]);
      expect((await people.invitations('b')).length).toBe(1);
      expect(await people.savedFilters('a', 'ana')).toEqual([]);
      expect(await people.savedFilters('b', 'ana')).toEqual([filter('f-b', 'b')]);
      expect((await keys.list()).map(({ id, revokedAt }) => [id, revokedAt])).toEqual([
        ['old', NOON],
        ['k-b', null],
        ['k-a', NOON + 5],
      ]);
      expect(await auditIds()).toEqual(['ana joined', 'removed']);
      expect(await auditIds('_installation')).toEqual(['a removed']);
    });

    it('that was removed never comes back', async () => {
      const { log, teams, people } = fixture.store;
      await teams.create(team('b'), []);
      await log.append(newEvents('a', 3));
      const answers = await Promise.all([
        log.append([newEvent('a', 'before')]),
        teams.remove('a', NOON, []),
        log.append([newEvent('a', 'after'), newEvent('b', 'beside'), newEvent('a', 'event-1')]),
        people.join(membership('a', 'ana', 'owner'), null, []),
      ]);
      const refused = { kind: 'team_deleted' };
      expect(answers).toEqual([
        [{ kind: 'appended', sequence: 4 }],
        true,
        [refused, { kind: 'appended', sequence: 1 }, refused],
        false,
      ]);
      await fixture.reopen();
      const { store } = fixture;
      expect(await store.teams.create(team('a'), [newEvent('a', 'created')])).toBe(false);
      expect(await store.teams.update(team('a'), [])).toBe(false);
      expect(await store.log.append([newEvent('a', 'late')])).toEqual([refused]);
      await expect(store.people.invite(invitation('i1', 'ana@acme.com'), [])).rejects.toThrow('deleted');
      expect(await store.teams.get('a')).toBeUndefined();
      expect(await store.log.vocabulary('a')).toEqual({ categories: [], eventTypes: [] });
      expect(await auditIds()).toEqual(['event-1', 'event-2', 'event-3', 'before']);
      await store.teams.remove('b', NOON - 1, []);
      expect(await store.teams.deleted()).toEqual(['b', 'a']);
      expect(await store.log.deleteThrough('a', 4)).toBe(4);
      expect(await store.log.bounds('a')).toEqual({ first: 5, last: 4 });
      expect(await store.log.append([newEvent('a', 'late')])).toEqual([refused]);
    });
  });
}

function membership(team: string, user: string, role: Role): Membership {
  return { team, user, role, joinedAt: NOON, deactivatedAt: null };
}

function invitation(id: string, email: string, team = 'a'): Invitation {
  const [createdAt, expiresAt] = [NOON, NOON + 1];
  return { id, team, email, role: 'member', hash: `hash of ${id}`, invitedBy: 'owner@acme.com', createdAt, expiresAt };
}

function filter(id: string, inTeam: string): SavedFilter {
  return { id, team: inTeam, user: 'ana', name: `filter ${id}`, query: 'status=failure&q=ü', createdAt: NOON };
}

function team(id: string): Team {
  return { id, name: `Team ${id}`, retentionDays: 30, createdAt: NOON, alerts: DEFAULT_ALERTS };
}

function key(id: string, inTeam: string) {
  const times = { createdAt: NOON, expiresAt: null, revokedAt: null, lastUsedAt: null };
  return { id, name: id, team: inTeam, scopes: ['events:read'], hash: `hash of ${id}`, ...times };
}
