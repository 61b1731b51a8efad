import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import { StorageDamaged } from '../event-log.ts';
import { crcOf } from './crc.ts';
import { Row, type Texts } from './row.ts';

/** A row with this many events is full: with more, reading one costs too much; with fewer, compression suffers. */
export const CHUNK_EVENTS = 256;
/** A row with this much JSON is full, so that a row of large events fits into memory. */
export const CHUNK_BYTES = 1024 * 1024;
/** Cuts consecutive events into rows; all but the last are full. */
export function* intoRows(
  events: readonly LoggedEvent[],
): Generator<{ events: readonly LoggedEvent[]; bytes: number }> {
  let from = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += event.bytes;
    if (index + 1 - from < CHUNK_EVENTS && bytes < CHUNK_BYTES && index + 1 < events.length) continue;
    yield { events: events.slice(from, index + 1), bytes };
    from = index + 1;
    bytes = 0;
  }
}

/** A row as the database has it. */
export interface ChunkRow {
  readonly first: Sequence;
  readonly count: number;
  readonly body: string | Uint8Array;
  /** Null: written before rows had one. */
  readonly checksum: number | null;
}

/** Of a row's place and body: SQLite would hand out what a failing disk has made of either. */
export function checksumOf(teamNo: number, { first, count, body }: Omit<ChunkRow, 'checksum'>): number {
  return crcOf(body, crcOf(`${teamNo} ${first} ${count} `));
}

/** The events of a row; throws StorageDamaged when it is not as it was written. */
export function decodeChunk(team: TeamId, teamNo: number, row: ChunkRow, texts: Texts): readonly LoggedEvent[] {
  const { first, count } = row;
  try {
    if (row.checksum !== null && row.checksum !== checksumOf(teamNo, row)) throw new Error('the checksum is another');
    const read = new Row(row.body, texts);
    if (read.count !== count) throw new Error(`${read.count} events instead of ${count}`);
    return read.events({ team, first, from: 0, count });
  } catch (cause) {
    const last = first + count - 1;
    throw new StorageDamaged(`trailproof.db is damaged in events ${first} to ${last} of team ${team}`, { cause });
  }
}
