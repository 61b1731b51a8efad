import { LRUCache } from 'lru-cache';
import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import { type LogBounds, type ReadLimit, StorageDamaged } from '../event-log.ts';
import { type ChunkRow, decodeChunk } from './chunk.ts';
import type { Connection } from './connection.ts';
import { EventIds } from './event-ids.ts';
import { JournalReader, missing } from './journal.ts';
import { createTexts } from './row.ts';

/** Rows kept for readers that take less than a row at a time, of so many events together. */
const EVENTS_KEPT = 8_192;

/** Reads the log through one connection: what is committed, from the teams' rows and then from the journal. */
export class LogReader {
  readonly #connection: Connection;
  readonly #journal: JournalReader;
  readonly #texts = createTexts();
  /** By team, first sequence and count: events never change, so neither does an entry. */
  readonly #read = new LRUCache<string, readonly LoggedEvent[]>({
    maxSize: EVENTS_KEPT,
    sizeCalculation: (events) => events.length,
  });
  /** The row in which `reread` found an event last. */
  #last: readonly LoggedEvent[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#journal = new JournalReader(connection, this.#texts);
  }

  /** `recent`: the newest events from memory, where they are at hand: else they are read from the journal. */
  read(team: TeamId, after: Sequence, limit: ReadLimit, recent?: Recent): readonly LoggedEvent[] {
    return this.#connection.inSnapshot(() => {
      const place = this.#team(team);
      return place ? upTo(limit, this.#all(place, team, after, recent)) : [];
    });
  }

  /** From the team's rows, then from the journal. Throws where an event is missing that retention has not deleted. */
  *#all({ no, kept, moved }: TeamPlace, team: TeamId, after: Sequence, recent?: Recent): Generator<LoggedEvent> {
    let next = Math.max(after + 1, kept);
    if (after < moved)
      for (const event of this.events(no, team, after)) {
        if (event.sequence > next) throw missing(team, next, event.sequence - 1);
        next = event.sequence + 1;
        yield event;
      }
    if (next <= moved) throw missing(team, next, moved);
    yield* recent?.(team, Math.max(after, moved)) ?? this.#journal.events(no, team, moved, after);
  }

  /** The events after `after` in the team's rows, oldest first. */
  *events(no: number, team: TeamId, after: Sequence): Generator<LoggedEvent> {
    for (const chunk of this.chunks(no, team, after)) {
      const last = chunk.at(-1);
      for (const event of chunk) {
        // Read to its end, a row is not needed again.
        if (event === last) this.#read.delete(keyOf(no, chunk[0]!.sequence, chunk.length));
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
      let events = this.#read.get(key);
      if (!events) {
        events = decodeChunk(team, no, row, this.#texts);
        this.#read.set(key, events);
      }
      yield events;
    }
  }

  /** An event of the team's rows. Those that follow it are asked for next. Throws StorageDamaged where it is missing. */
  reread(team: TeamId, sequence: Sequence): LoggedEvent {
    const isHere = (): boolean =>
      this.#last[0]?.team === team && this.#last[0].sequence <= sequence && sequence <= this.#last.at(-1)!.sequence;
    if (!isHere())
      this.#last = this.#connection.inSnapshot(() => {
        const place = this.#team(team);
        return place ? ([...this.chunks(place.no, team, sequence - 1).take(1)][0] ?? []) : [];
      });
    if (!isHere()) throw missing(team, sequence, sequence);
    return this.#last[sequence - this.#last[0]!.sequence]!;
  }

  find(team: TeamId, id: string): LoggedEvent | undefined {
    return this.#connection.inSnapshot(() => {
      const place = this.#team(team);
      if (!place) return undefined;
      const known = new EventIds(this.#connection, place.no).find(id);
      if (!known) return this.#journal.events(place.no, team, place.moved, place.moved).find((e) => e.id === id);
      const [event] = upTo({ events: 1, bytes: 0 }, this.events(place.no, team, known.sequence - 1));
      if (event?.id !== id && known.sequence >= place.kept) throw missing(team, known.sequence, known.sequence);
      return event?.id === id ? event : undefined;
    });
  }

  bounds(team: TeamId): LogBounds {
    return this.#connection.inSnapshot(() => {
      const place = this.#team(team);
      const last = place ? this.#journal.lasts()(place.no, place.moved) : 0;
      return place && last > 0 ? { first: place.kept, last } : { first: 0, last: 0 };
    });
  }

  firstReceivedSince(team: TeamId, at: number): Sequence {
    return this.#connection.inSnapshot(() => {
      const place = this.#team(team);
      if (!place) return 1;
      const row = this.#connection.get<{ first: number }>(
        'SELECT first_sequence AS first FROM chunk WHERE team_no = ? AND last_received_at >= ? ORDER BY last_received_at, first_sequence LIMIT 1',
        place.no,
        at,
      );
      for (const event of this.#all(place, team, row ? row.first - 1 : place.moved))
        if (event.receivedAt >= at) return event.sequence;
      return this.#journal.lasts()(place.no, place.moved) + 1;
    });
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
    return this.#connection.inSnapshot(() => {
      const lastOf = this.#journal.lasts();
      return this.#connection
        .all<{ team: TeamId; no: number; moved: Sequence }>(
          'SELECT id AS team, no, last_sequence AS moved FROM team ORDER BY no',
        )
        .map(({ team, no, moved }) => ({ team, last: lastOf(no, moved) }));
    });
  }

  #team(team: TeamId): TeamPlace | undefined {
    return this.#connection.get('SELECT no, first_kept AS kept, last_sequence AS moved FROM team WHERE id = ?', team);
  }
}

/** The team's events after a sequence; undefined when memory does not reach back that far. */
export type Recent = (team: TeamId, after: Sequence) => Iterable<LoggedEvent> | undefined;

interface TeamPlace {
  readonly no: number;
  /** The first event that retention has left. */
  readonly kept: Sequence;
  /** The last event in the team's own rows; later ones are in the journal. */
  readonly moved: Sequence;
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
