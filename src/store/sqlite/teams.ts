import type { TeamId } from '../../event/logged-event.ts';
import type { Team, TeamStore } from '../teams.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import { readAlerts } from './stored-json.ts';

type Row = Omit<Team, 'alerts'> & { readonly alerts: string };

const SELECT = `SELECT id, name, retention_days AS retentionDays, created_at AS createdAt, alerts FROM team
  WHERE deleted_at IS NULL`;

export function teamStore(queue: CommitQueue, read: Connection): TeamStore {
  return {
    list: async () => read.all<Row>(`${SELECT} ORDER BY no`).map(toTeam),
    get: async (id) => {
      const row = read.get<Row>(`${SELECT} AND id = ?`, id);
      return row && toTeam(row);
    },
    create: (team, audit) =>
      queue.commit('change', ({ log }) => {
        const isNew = log.createTeam(team);
        if (isNew) log.append(audit);
        return isNew;
      }),
    update: ({ id, name, retentionDays, alerts }, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const sql = 'UPDATE team SET name = ?, retention_days = ?, alerts = ? WHERE id = ? AND deleted_at IS NULL';
        const isKnown = connection.run(sql, name, retentionDays, JSON.stringify(alerts), id) > 0;
        if (isKnown) log.append(audit);
        return isKnown;
      }),
    remove: (id, at, audit) =>
      queue.commit('change', ({ connection, log }) => {
        if (!connection.get('SELECT 1 FROM team WHERE id = ? AND deleted_at IS NULL', id)) return false;
        // First, since the team's own log takes nothing afterwards.
        log.append(audit);
        log.deleteTeam(id, at);
        connection.run('UPDATE api_key SET revoked_at = ? WHERE team = ? AND revoked_at IS NULL', at, id);
        for (const table of ['member', 'invitation', 'saved_filter'])
          connection.run(`DELETE FROM ${table} WHERE team = ?`, id);
        return true;
      }),
    deleted: async () =>
      read
        .all<{ id: TeamId }>('SELECT id FROM team WHERE deleted_at IS NOT NULL ORDER BY deleted_at, no')
        .map(({ id }) => id),
  };
}

function toTeam(row: Row): Team {
  return { ...row, alerts: readAlerts(row.alerts) };
}
