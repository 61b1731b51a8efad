import { StorageDamaged } from '../event-log.ts';
import type { Connection } from './connection.ts';

/**
 * Whether every team is found by its name, and every row of the log belongs to one. Else a log would be shown as empty, or
 * begin anew under the same name. Throws StorageDamaged.
 */
export function examineTeams(connection: Connection): void {
  const lost = connection.get<{ id: string }>(
    `SELECT id FROM team AS row NOT INDEXED WHERE NOT EXISTS (
       SELECT 1 FROM team AS entry INDEXED BY sqlite_autoindex_team_1 WHERE entry.id = row.id AND entry.no = row.no)`,
  );
  if (lost) throw new StorageDamaged(`trailproof.db is damaged: its index does not know the team ${lost.id}`);
  // From one team's rows to the next team's: a look into the index for each.
  const orphan = connection.get<{ no: number }>(
    `WITH RECURSIVE owner (no) AS (
       SELECT min(team_no) FROM chunk
       UNION ALL SELECT (SELECT min(team_no) FROM chunk WHERE team_no > owner.no) FROM owner WHERE owner.no IS NOT NULL)
     SELECT no FROM owner WHERE no IS NOT NULL AND no NOT IN (SELECT no FROM team)`,
  );
  if (orphan)
    throw new StorageDamaged(`trailproof.db is damaged: it has events of a team ${orphan.no} it does not know`);
}
