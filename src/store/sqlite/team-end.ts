import type { Sequence, TeamId } from '../../event/logged-event.ts';
import { StorageDamaged } from '../event-log.ts';
import { CHUNK_BYTES, CHUNK_EVENTS } from './chunk.ts';
import type { Connection } from './connection.ts';
import { EventIds } from './event-ids.ts';
import { COMPRESSED_EVENTS } from './row.ts';
import type { TailEvent } from './tail-event.ts';

/** One team's end of the log in memory, the running transaction included. */
export interface TeamEnd {
  readonly no: number;
  readonly team: TeamId;
  deletedAt: number | null;
  /** The first event that retention has left. */
  kept: Sequence;
  last: Sequence;
  lastReceivedAt: number;
  /** Events up to here lie in full rows; those behind it, of `smallBytes`, in smaller ones until they fill one. */
  fullThrough: Sequence;
  smallBytes: number;
  /** Events up to here lie in compressed rows; those behind it in rows of text until there are enough. */
  compressedThrough: Sequence;
  /** The newest events, contiguous up to `last`; as many as the cap allows. */
  recent: TailEvent[];
  /** How many at the end of `recent` are not in one of the team's rows yet, but loose: in the journal only. */
  loose: number;
  /** How many of these the running transaction has brought: not even in the journal. */
  fresh: number;
  /** What deduplication knows of the loose ones, in order, by id. */
  looseIds: Map<string, TailEvent>;
  /** Rows of the journal that hold some of them. */
  journaled: number[];
  looseSince: number;
  /** What deduplication knows of those in rows. */
  readonly ids: EventIds;
  readonly seen: { readonly category: Set<string>; readonly type: Set<string> };
}

/** Where the rows that are to be merged begin. */
export type Ragged = Pick<TeamEnd, 'fullThrough' | 'smallBytes' | 'compressedThrough'>;

/** As the team's rows have it, nothing loose; undefined when there is no such team. Throws StorageDamaged. */
export function readTeamEnd(connection: Connection, team: TeamId): TeamEnd | undefined {
  const row = connection.get<Pick<TeamEnd, 'no' | 'deletedAt' | 'kept' | 'last' | 'lastReceivedAt'>>(
    `SELECT no, deleted_at AS deletedAt, first_kept AS kept, last_sequence AS last, last_received_at AS lastReceivedAt
     FROM team WHERE id = ?`,
    team,
  );
  if (!row) return undefined;
  // A place given by a wrong counter would be given twice, or leave a hole.
  if (row.kept <= row.last) mustEnd(connection, team, row);
  return {
    ...row,
    team,
    ...raggedOf(connection, row.no, row.last),
    recent: [],
    loose: 0,
    fresh: 0,
    looseIds: new Map(),
    journaled: [],
    looseSince: 0,
    ids: new EventIds(connection, row.no),
    seen: { category: new Set(), type: new Set() },
  };
}

/** Where the rows to be merged begin, as the database has it; `last`: the last event in rows. */
export function raggedOf(connection: Connection, no: number, last: Sequence): Ragged {
  const ragged = { fullThrough: last, smallBytes: 0, compressedThrough: last };
  let isText = true;
  const newestFirst = connection.iterate<{ first: Sequence; count: number; bytes: number }>(
    'SELECT first_sequence AS first, count, bytes FROM chunk WHERE team_no = ? ORDER BY first_sequence DESC',
    no,
  );
  for (const { first, count, bytes } of newestFirst) {
    if (count >= CHUNK_EVENTS || bytes >= CHUNK_BYTES) break;
    ragged.fullThrough = first - 1;
    ragged.smallBytes += bytes;
    isText &&= count < COMPRESSED_EVENTS;
    if (isText) ragged.compressedThrough = first - 1;
  }
  return ragged;
}

/** The newest row ends where the team's log does. */
function mustEnd(connection: Connection, team: TeamId, { no, last }: Pick<TeamEnd, 'no' | 'last'>): void {
  const end = connection.get<{ last: Sequence }>(
    'SELECT first_sequence + count - 1 AS last FROM chunk WHERE team_no = ? ORDER BY first_sequence DESC LIMIT 1',
    no,
  )?.last;
  if (end !== last)
    throw new StorageDamaged(
      `trailproof.db is damaged: the log of team ${team} should end with event ${last} and ends with ${end ?? 'none'}`,
    );
}
