import { randomUUIDv7 } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { isAllowed, type Role } from '../contract/roles.ts';
import type { TeamId } from '../event/logged-event.ts';
import { type OwnEvent, ownEvent } from '../event/own-event.ts';
import type { Invitation, Membership, PeopleStore } from '../store/people.ts';
import { DEFAULT_ALERTS, type TeamStore } from '../store/teams.ts';
import type { Account, Accounts } from './accounts.ts';
import { createOneTimeLinks, newToken, tokenHash } from './one-time-links.ts';
import type { Member, People } from './people.ts';
import { type Actor, auditActor, type Origin, type Principal } from './principal.ts';

/** People over their store. One per process, so that a change of role is seen at once everywhere. */
export function createPeople(parts: {
  readonly store: PeopleStore;
  readonly accounts: Pick<Accounts, 'byIds' | 'byEmail' | 'create' | 'endSessions'>;
  readonly teams: Pick<TeamStore, 'create'>;
  readonly clock: Clock;
}): People {
  const { store, accounts, teams, clock } = parts;
  const roles = new LRUCache<string, ReadonlyMap<TeamId, Role>>({ max: 10_000 });
  const watching = new Set<() => void>();
  let changes = 0;

  const rolesOf = async (user: string): Promise<ReadonlyMap<TeamId, Role>> => {
    const known = roles.get(user);
    if (known) return known;
    const before = changes;
    const active = (await store.membershipsOf(user)).filter(({ deactivatedAt }) => deactivatedAt === null);
    const found = new Map(active.map(({ team, role }) => [team, role]));
    // Read before a change, answered after it: true then, no longer.
    if (before === changes) roles.set(user, found);
    return found;
  };

  const members: People['members'] = async (team) => {
    const memberships = await store.membersOf(team);
    const known = await accounts.byIds(memberships.map(({ user }) => user));
    return memberships.flatMap((membership) => {
      const account = known.get(membership.user);
      return account ? [{ ...membership, account }] : [];
    });
  };

  const forget = (user?: string): void => {
    changes += 1;
    if (user === undefined) roles.clear();
    else roles.delete(user);
    for (const look of watching) look();
  };

  const memberOf = async (team: TeamId, user: string): Promise<Member | undefined> => {
    const membership = (await store.membersOf(team)).find((m) => m.user === user);
    const account = membership && (await accounts.byIds([user])).get(user);
    return account && { ...membership, account };
  };

  /** The member, unless `by` may not change them. */
  const changeable = async (team: TeamId, user: string, by: Principal): Promise<Member | 'unknown' | 'owners_only'> => {
    const member = await memberOf(team, user);
    if (!member) return 'unknown';
    return member.role === 'owner' && !mayMakeOwners(by, team) ? 'owners_only' : member;
  };

  const change = async (
    member: Member,
    what: { readonly role?: Role; readonly deactivatedAt?: number | null },
    event: Pick<OwnEvent, 'eventType' | 'description' | 'changes' | 'metadata'>,
    by: Actor,
  ) => {
    const audit = [personEvent(member.team, member.account, event, by, clock.now())];
    const changed = await store.change(member.team, member.user, what, audit);
    forget(member.user);
    return changed === 'done' ? { ...member, ...what } : changed;
  };

  const join = async (
    membership: Membership,
    account: Account,
    invitation: Invitation | null,
    joinMethod: 'setup' | 'invitation' | 'operator',
    origin: Origin,
  ): Promise<boolean> => {
    const { team, role, joinedAt } = membership;
    const invited = invitation ? { invitedBy: invitation.invitedBy } : {};
    const event = {
      eventType: 'user.joined_team',
      description: `${account.email} joined the team as ${TITLES[role]}`,
      changes: { current: { role } },
      metadata: { joinMethod, ...invited },
    };
    const audit = [personEvent(team, account, event, asThemselves(account, origin), joinedAt)];
    const joined = await store.join(membership, invitation?.id ?? null, audit);
    forget(account.id);
    return joined;
  };

  const openInvitation = async (token: string): Promise<Invitation | undefined> => {
    const invitation = await store.invitationByHash(tokenHash(token));
    return invitation && invitation.expiresAt > clock.now() ? invitation : undefined;
  };

  return {
    rolesOf,
    concernedBy: async (user) => {
      const own = await rolesOf(user);
      const account = own.size === 0 ? (await accounts.byIds([user])).get(user) : undefined;
      if (!account) return own;
      const open = (await store.invitationsTo(account.email)).filter(({ expiresAt }) => expiresAt > clock.now());
      return new Map(open.map(({ team, role }) => [team, role]));
    },
    forgetRoles: () => forget(),
    disallowed: async (user, team, permission, signal) => {
      while (!signal.aborted) {
        const changed = nextCall(watching, signal);
        const role = (await rolesOf(user)).get(team);
        if (!role || !isAllowed(role, permission)) return;
        await changed;
      }
    },
    members,
    administratorsOf: async (team) =>
      (await members(team))
        .filter(({ role, deactivatedAt }) => deactivatedAt === null && isAllowed(role, 'team:admin'))
        .map(({ account }) => account),
    setRole: async (team, user, role, by, origin) => {
      const member = await changeable(team, user, by);
      if (typeof member === 'string') return member;
      if (role === 'owner' && !mayMakeOwners(by, team)) return 'owners_only';
      if (member.role === role) return member;
      const event = {
        eventType: 'user.role_changed',
        description: `${member.account.email} was ${TITLES[member.role]} and is now ${TITLES[role]}`,
        changes: { previous: { role: member.role }, current: { role } },
        metadata: { changedBy: nameOf(by) },
      };
      return change(member, { role }, event, auditActor(by, origin));
    },
    setActive: async (team, user, active, by, origin) => {
      const member = await changeable(team, user, by);
      if (typeof member === 'string') return member;
      if (isOneself(by, user)) return 'oneself';
      if ((member.deactivatedAt === null) === active) return member;
      const event = {
        eventType: active ? 'user.reactivated' : 'user.deactivated',
        description: `${member.account.email} was ${active ? 'reactivated' : 'deactivated'}`,
        changes: {
          previous: { status: active ? 'deactivated' : 'active' },
          current: { status: active ? 'active' : 'deactivated' },
        },
        metadata: { method: 'manual', changedBy: nameOf(by) },
      };
      const changed = await change(
        member,
        { deactivatedAt: active ? null : clock.now() },
        event,
        auditActor(by, origin),
      );
      if (typeof changed !== 'string' && !active) await accounts.endSessions(user, [team]);
      return changed;
    },
    remove: async (team, user, by, origin) => {
      const member = await changeable(team, user, by);
      if (typeof member === 'string') return member;
      const event = {
        eventType: 'user.removed',
        description: isOneself(by, user)
          ? `${member.account.email} left the team`
          : `${member.account.email} was removed from the team`,
        changes: { previous: { role: member.role } },
        metadata: { method: isOneself(by, user) ? 'left' : 'manual', removedBy: nameOf(by) },
      };
      const audit = [personEvent(team, member.account, event, auditActor(by, origin), clock.now())];
      const removed = await store.leave(team, user, audit);
      forget(user);
      if (removed === 'done' && !isOneself(by, user)) await accounts.endSessions(user, [team]);
      return removed;
    },

    invitations: (team) => store.invitations(team),
    invite: async (team, address, role, by, origin) => {
      if (role === 'owner' && !mayMakeOwners(by, team)) return 'owners_only';
      const email = address.trim().toLowerCase();
      const account = await accounts.byEmail(email);
      if (account && (await store.membershipsOf(account.id)).some((m) => m.team === team)) return 'already_member';
      const token = newToken();
      const at = clock.now();
      const invitation: Invitation = {
        id: randomUUIDv7(),
        team,
        email,
        role,
        hash: tokenHash(token),
        invitedBy: nameOf(by),
        createdAt: at,
        expiresAt: at + INVITATION_MS,
      };
      const event = invitationEvent(invitation, auditActor(by, origin), at, {
        eventType: 'user.invited',
        description: `${email} was invited as ${TITLES[role]}`,
        changes: { current: { role, expiresAt: new Date(invitation.expiresAt).toISOString() } },
      });
      await store.invite(invitation, [event]);
      return { invitation, token };
    },
    revokeInvitation: async (team, id, by) => {
      const invitation = (await store.invitations(team)).find((i) => i.id === id);
      if (!invitation) return false;
      const event = invitationEvent(invitation, by, clock.now(), {
        eventType: 'user.invitation_revoked',
        description: `The invitation of ${invitation.email} was withdrawn`,
        changes: { previous: { role: invitation.role } },
      });
      return store.revokeInvitation(team, id, [event]);
    },
    invitation: async (token) => {
      const invitation = await openInvitation(token);
      return invitation && { ...invitation, hasAccount: (await accounts.byEmail(invitation.email)) !== undefined };
    },
    accept: async (token, as, origin) => {
      const invitation = await openInvitation(token);
      if (!invitation) return 'unknown';
      const { team, role, email } = invitation;
      if ('id' in as && as.email.toLowerCase() !== email) return 'other_address';
      if (!('id' in as) && (await accounts.byEmail(email))) return 'has_account';
      const account = 'id' in as ? as : await accounts.create({ ...as, email }, [team], origin);
      if (!('id' in account)) return account;
      const membership: Membership = { team, user: account.id, role, joinedAt: clock.now(), deactivatedAt: null };
      const joinMethod = invitation.invitedBy === nameOf({ kind: 'operator' }) ? 'operator' : 'invitation';
      return (await join(membership, account, invitation, joinMethod, origin)) ? { team, account } : 'unknown';
    },

    links: createOneTimeLinks(clock),
    setUp: async (team, newAccount, origin) => {
      // Its team may not exist yet, and a team must not come into being with a password that is refused.
      const account = await accounts.create(newAccount, [], origin);
      if (!('id' in account)) return account;
      const at = clock.now();
      const created = ownEvent({
        ...asThemselves(account, origin),
        team: team.id,
        eventType: 'team.created',
        description: `Team "${team.name}" was created`,
        target: { type: 'team', id: team.id, name: team.name },
        changes: { current: { name: team.name, retentionDays: team.retentionDays } },
        at,
      });
      await teams.create({ ...team, alerts: DEFAULT_ALERTS, createdAt: at }, [created]);
      const owner = { team: team.id, user: account.id, role: 'owner', joinedAt: at, deactivatedAt: null } as const;
      await join(owner, account, null, 'setup', origin);
      return account;
    },
  };
}

const INVITATION_MS = 7 * 86_400_000;

const TITLES: Readonly<Record<Role, string>> = { owner: 'Owner', admin: 'Admin', member: 'Member', auditor: 'Auditor' };

function mayMakeOwners(by: Principal, team: TeamId): boolean {
  return by.kind === 'operator' || (by.kind === 'user' && by.roles.get(team) === 'owner');
}

function isOneself(by: Principal, user: string): boolean {
  return by.kind === 'user' && by.id === user;
}

/** As people know them: the e-mail, or the key's name. */
function nameOf(by: Principal): string {
  const { email, name, id } = auditActor(by, {}).actor;
  return email ?? name ?? id;
}

/** Before they have a session: what the person does while joining. */
function asThemselves({ id, email, name }: Account, origin: Origin): Actor {
  return { actor: { id, type: 'user', email, name }, context: { ...origin } };
}

function personEvent(
  team: TeamId,
  account: Account,
  event: Pick<OwnEvent, 'eventType' | 'description' | 'changes' | 'metadata'>,
  by: Actor,
  at: number,
) {
  return ownEvent({ ...by, ...event, team, target: { type: 'user', id: account.id, name: account.email }, at });
}

function invitationEvent(
  { id, team, email }: Invitation,
  by: Actor,
  at: number,
  event: Pick<OwnEvent, 'eventType' | 'description' | 'changes'>,
) {
  return ownEvent({ ...by, ...event, team, target: { type: 'invitation', id, name: email }, at });
}

/** Resolves when one of `calls` is made next, or `signal` aborts. */
function nextCall(calls: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      calls.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    calls.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
