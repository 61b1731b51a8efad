import type { Team, TeamStore } from '../teams.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';

const COLUMNS = 'id, name, retention_days AS retentionDays, created_at AS createdAt';

export function teamStore(queue: CommitQueue, read: Connection): TeamStore {
  return {
    list: async () => read.all<Team>(`SELECT ${COLUMNS} FROM team ORDER BY no`).map((row) => ({ ...row })),
    get: async (id) => {
      const row = read.get<Team>(`SELECT ${COLUMNS} FROM team WHERE id = ?`, id);
      return row && { ...row };
    },
    create: (team, audit) =>
      queue.commit('change', ({ log }) => {
        const isNew = log.createTeam(team.id, team.name, team.retentionDays, team.createdAt);
        if (isNew) log.append(audit);
        return isNew;
      }),
  };
}
