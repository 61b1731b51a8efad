import type { Alerted, AlertStore } from '../alerts.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import { readTimes } from './stored-json.ts';

type Row = Omit<Alerted, 'toldAt'> & { readonly toldAt: string };

export function alertStore(queue: CommitQueue, read: Connection): AlertStore {
  return {
    list: async () =>
      read
        .all<Row>(
          `SELECT id AS destination, state, told_at AS toldAt FROM alert JOIN destination ON no = destination_no
           ORDER BY no`,
        )
        .map((row) => ({ ...row, toldAt: readTimes(row.toldAt) })),
    put: ({ destination, state, toldAt }) =>
      queue.commit('change', ({ connection }) => {
        connection.run(
          `INSERT INTO alert (destination_no, state, told_at) SELECT no, ?, ? FROM destination WHERE id = ?
           ON CONFLICT DO UPDATE SET state = excluded.state, told_at = excluded.told_at`,
          state,
          JSON.stringify(toldAt),
          destination,
        );
      }),
  };
}
