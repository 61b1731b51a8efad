import type { TeamId } from '../../event/logged-event.ts';
import type { Invitation, Membership, PeopleStore, SavedFilter } from '../people.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';

const MEMBER = `SELECT team, user, role, joined_at AS joinedAt, deactivated_at AS deactivatedAt FROM member`;
const INVITATION = `SELECT id, team, email, role, hash, invited_by AS invitedBy, created_at AS createdAt,
  expires_at AS expiresAt FROM invitation`;
const SAVED_FILTER = `SELECT id, team, user, name, query, created_at AS createdAt FROM saved_filter`;

export function peopleStore(queue: CommitQueue, read: Connection): PeopleStore {
  return {
    membershipsOf: async (user) => read.all<Membership>(`${MEMBER} WHERE user = ? ORDER BY no`, user).map(plain),
    membersOf: async (team) => read.all<Membership>(`${MEMBER} WHERE team = ? ORDER BY no`, team).map(plain),
    join: ({ team, user, role, joinedAt, deactivatedAt }, invitation, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const isGone =
          invitation !== null &&
          !connection.get('SELECT 1 FROM invitation WHERE id = ? AND team = ?', invitation, team);
        if (isGone || isDeleted(connection, team)) return false;
        const isNew = connection.run(
          `INSERT INTO member (team, user, role, joined_at, deactivated_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING`,
          team,
          user,
          role,
          joinedAt,
          deactivatedAt,
        );
        if (!isNew) return false;
        connection.run('DELETE FROM invitation WHERE id = ?', invitation);
        log.append(audit);
        return true;
      }),
    change: (team, user, { role, deactivatedAt }, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const member = memberOf(connection, team, user);
        if (!member) return 'unknown';
        const changed = {
          ...member,
          ...(role !== undefined && { role }),
          ...(deactivatedAt !== undefined && { deactivatedAt }),
        };
        if (!isActiveOwner(changed) && isLastOwner(connection, member)) return 'last_owner';
        const sql = 'UPDATE member SET role = ?, deactivated_at = ? WHERE team = ? AND user = ?';
        connection.run(sql, changed.role, changed.deactivatedAt, team, user);
        log.append(audit);
        return 'done';
      }),
    leave: (team, user, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const member = memberOf(connection, team, user);
        if (!member) return 'unknown';
        if (isLastOwner(connection, member)) return 'last_owner';
        for (const table of ['member', 'saved_filter'])
          connection.run(`DELETE FROM ${table} WHERE team = ? AND user = ?`, team, user);
        log.append(audit);
        return 'done';
      }),

    invitations: async (team) => read.all<Invitation>(`${INVITATION} WHERE team = ? ORDER BY no DESC`, team).map(plain),
    invitationsTo: async (email) =>
      read.all<Invitation>(`${INVITATION} WHERE email = ? ORDER BY no DESC`, email).map(plain),
    invitationByHash: async (hash) => {
      const row = read.get<Invitation>(`${INVITATION} WHERE hash = ?`, hash);
      return row && plain(row);
    },
    invite: ({ id, team, email, role, hash, invitedBy, createdAt, expiresAt }, audit) =>
      queue.commit('change', ({ connection, log }) => {
        if (isDeleted(connection, team)) throw new Error(`the team ${team} was deleted`);
        connection.run('DELETE FROM invitation WHERE team = ? AND email = ?', team, email);
        connection.run(
          `INSERT INTO invitation (id, team, email, role, hash, invited_by, created_at, expires_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          id,
          team,
          email,
          role,
          hash,
          invitedBy,
          createdAt,
          expiresAt,
        );
        log.append(audit);
      }),
    revokeInvitation: (team, id, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const isRevoked = connection.run('DELETE FROM invitation WHERE team = ? AND id = ?', team, id) > 0;
        if (isRevoked) log.append(audit);
        return isRevoked;
      }),

    savedFilters: async (team, user) =>
      read.all<SavedFilter>(`${SAVED_FILTER} WHERE team = ? AND user = ? ORDER BY no DESC`, team, user).map(plain),
    saveFilter: ({ id, team, user, name, query, createdAt }) =>
      queue.commit('change', ({ connection }) => {
        connection.run(
          'INSERT INTO saved_filter (id, team, user, name, query, created_at) VALUES (?, ?, ?, ?, ?, ?)',
          id,
          team,
          user,
          name,
          query,
          createdAt,
        );
      }),
    removeFilter: (team, user, id) =>
      queue.commit('change', ({ connection }) => {
        const sql = 'DELETE FROM saved_filter WHERE team = ? AND user = ? AND id = ?';
        return connection.run(sql, team, user, id) > 0;
      }),
  };
}

function memberOf(connection: Connection, team: TeamId, user: string): Membership | undefined {
  return connection.get<Membership>(`${MEMBER} WHERE team = ? AND user = ?`, team, user);
}

function isActiveOwner({ role, deactivatedAt }: Membership): boolean {
  return role === 'owner' && deactivatedAt === null;
}

/** Judged within the transaction: of two Owners who step down at the same moment, one stays. */
function isLastOwner(connection: Connection, member: Membership): boolean {
  if (!isActiveOwner(member)) return false;
  const others = `SELECT 1 FROM member WHERE team = ? AND user <> ? AND role = 'owner' AND deactivated_at IS NULL`;
  return connection.get(others, member.team, member.user) === undefined;
}

function isDeleted(connection: Connection, team: TeamId): boolean {
  return connection.get('SELECT 1 FROM team WHERE id = ? AND deleted_at IS NOT NULL', team) !== undefined;
}

/** node:sqlite's rows have no prototype; what the store gives are plain objects. */
function plain<T extends object>(row: T): T {
  return { ...row };
}
