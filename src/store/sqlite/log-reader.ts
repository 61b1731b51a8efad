import { LRUCache } from 'lru-cache';
import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import { type LogBounds, type ReadLimit, StorageDamaged } from '../event-log.ts';
import { type ChunkRow, decodeChunk } from './chunk.ts';
import type { Connection } from './connection.ts';

/** Decoded rows kept for readers that take less than a row at a time, in bytes of JSON. */
const DECODED_BYTES = 4 * 1024 * 1024;

/** Reads the log through one connection: what is committed, one row at a time in memory. */
export class LogReader {
  readonly #connection: Connection;
  /** By team, first sequence and count: events never change, so neither does an entry. */
  readonly #decoded = new LRUCache<string, readonly LoggedEvent[]>({
    maxSize: DECODED_BYTES,
    sizeCalculation: (events) => events.reduce((sum, event) => sum + event.bytes, 1),
  });

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  read(team: TeamId, after: Sequence, limit: ReadLimit): readonly LoggedEvent[] {
    const place = this.#team(team);
    if (!place) return [];
    const events = upTo(limit, this.events(place.no, team, after));
    const sequence = events[0]?.sequence ?? place.last + 1;
    if (sequence > Math.max(after + 1, place.kept)) this.#excuse(team, after + 1, sequence - 1);
    return events;
  }

  /** The events after `after`, oldest first. */
  *events(no: number, team: TeamId, after: Sequence): Generator<LoggedEvent> {
    for (const chunk of this.chunks(no, team, after)) {
      const last = chunk.at(-1);
      for (const event of chunk) {
        // Read to its end, a row is not needed again.
        if (event === last) this.#decoded.delete(keyOf(no, chunk[0]!.sequence, chunk.length));
        if (event.sequence > after) yield event;
      }
    }
  }

  /** The rows that hold events after `after`, oldest first; one snapshot. */
  *chunks(no: number, team: TeamId, after: Sequence): Generator<readonly LoggedEvent[]> {
    const rows = this.#connection.iterate<ChunkRow>(
      `SELECT first_sequence AS first, count, body, checksum FROM chunk
       WHERE team_no = ?1 AND first_sequence + count > ?2 + 1 AND first_sequence >= coalesce(
         (SELECT max(first_sequence) FROM chunk WHERE team_no = ?1 AND first_sequence <= ?2 + 1), 0)
       ORDER BY first_sequence`,
      no,
      after,
    );
    let end: Sequence | undefined;
    for (const row of rows) {
      const { first, count } = row;
      if (first !== (end ?? first - 1) + 1) throw missing(team, end! + 1, first - 1);
      end = first + count - 1;
      const key = keyOf(no, first, count);
      let events = this.#decoded.get(key);
      if (!events) {
        events = decodeChunk(team, no, row);
        this.#decoded.set(key, events);
      }
      yield events;
    }
  }

  find(team: TeamId, id: string): LoggedEvent | undefined {
    const place = this.#connection.get<{ sequence: number }>(
      'SELECT sequence FROM event_id WHERE team_no = (SELECT no FROM team WHERE id = ?) AND id = ?',
      team,
      id,
    );
    if (!place) return undefined;
    const [event] = this.read(team, place.sequence - 1, { events: 1, bytes: 0 });
    if (event?.id === id) return event;
    this.#excuse(team, place.sequence, place.sequence);
    return undefined;
  }

  bounds(team: TeamId): LogBounds {
    const place = this.#team(team);
    return place && place.last > 0 ? { first: place.kept, last: place.last } : { first: 0, last: 0 };
  }

  firstReceivedSince(team: TeamId, at: number): Sequence {
    const found = this.#team(team);
    if (!found) return 1;
    const chunk = this.#connection.get<{ first: number }>(
      'SELECT first_sequence AS first FROM chunk WHERE team_no = ? AND last_received_at >= ? ORDER BY last_received_at, first_sequence LIMIT 1',
      found.no,
      at,
    );
    if (chunk)
      for (const event of this.events(found.no, team, chunk.first - 1))
        if (event.receivedAt >= at) return event.sequence;
    return found.last + 1;
  }

  vocabulary(team: TeamId): { readonly categories: readonly string[]; readonly eventTypes: readonly string[] } {
    const seen = this.#connection.all<{ kind: string; value: string }>(
      'SELECT kind, value FROM seen WHERE team_no = (SELECT no FROM team WHERE id = ?) ORDER BY value',
      team,
    );
    const of = (kind: string): string[] => seen.filter((row) => row.kind === kind).map((row) => row.value);
    return { categories: of('category'), eventTypes: of('type') };
  }

  /** Every team with its last sequence. */
  teams(): readonly { readonly team: TeamId; readonly last: Sequence }[] {
    return this.#connection.all<{ team: TeamId; last: Sequence }>(
      'SELECT id AS team, last_sequence AS last FROM team ORDER BY no',
    );
  }

  #team(team: TeamId): { no: number; kept: Sequence; last: Sequence } | undefined {
    return this.#connection.get('SELECT no, first_kept AS kept, last_sequence AS last FROM team WHERE id = ?', team);
  }

  /** Events are not there: by now retention may have deleted them all, else they are lost, and nobody shall pass over them. */
  #excuse(team: TeamId, from: Sequence, through: Sequence): void {
    const kept = this.#team(team)?.kept ?? 1;
    if (kept <= through) throw missing(team, Math.max(from, kept), through);
  }
}

function missing(team: TeamId, from: Sequence, through: Sequence): StorageDamaged {
  return new StorageDamaged(`trailproof.db is damaged: it has lost events ${from} to ${through} of team ${team}`);
}

function keyOf(no: number, first: Sequence, count: number): string {
  return `${no} ${first} ${count}`;
}

/** Takes events until a limit is reached, but one at least; those before a damage, when there are any. */
export function upTo(limit: ReadLimit, events: Iterable<LoggedEvent>): readonly LoggedEvent[] {
  const taken: LoggedEvent[] = [];
  let bytes = 0;
  try {
    for (const event of events) {
      bytes += event.bytes;
      if (taken.length > 0 && bytes > limit.bytes) break;
      taken.push(event);
      if (taken.length >= limit.events || bytes >= limit.bytes) break;
    }
  } catch (error) {
    if (taken.length === 0 || !(error instanceof StorageDamaged)) throw error;
  }
  return taken;
}
