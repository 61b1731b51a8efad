import { LRUCache } from 'lru-cache';
import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import { StorageDamaged } from '../event-log.ts';
import type { Connection } from './connection.ts';
import { crcOf } from './crc.ts';
import { createTexts, type Directory, directoryOf, pack, Row, type Texts } from './row.ts';

/*
 * The journal makes a commit durable by one row, whichever teams it holds: a commit of many teams has few events of
 * each, and a row per team would cost a page for each. The events move to their teams' own rows (chunk.ts) when there
 * are enough of them, or after some seconds; a journal row goes when all of its events have moved.
 */

/** Rows that readers have read are kept, of so many events together. */
const EVENTS_KEPT = 8_192;

/** One team's events in a row of the journal, consecutive. */
export interface JournalPart {
  readonly teamNo: number;
  readonly team: TeamId;
  readonly events: readonly LoggedEvent[];
  /** Of the events' content, as in `NewEvent`: deduplication needs it until their ids are written down. */
  readonly hashes: readonly string[];
}

/** Which events a row has, without unpacking it: the team's number and id, the first sequence, and how many. */
type Place = readonly [teamNo: number, team: TeamId, first: Sequence, count: number];

export interface JournalRow {
  readonly no: number;
  readonly bytes: number;
  readonly places: readonly Place[];
  readonly parts: readonly JournalPart[] | StorageDamaged;
}

interface Body extends Directory {
  readonly hashes: readonly string[];
}

/** Writes the row `no`. Returns its size on disk. */
export function writeJournal(connection: Connection, no: number, parts: readonly JournalPart[]): number {
  const events = parts.flatMap((part) => part.events);
  const places = JSON.stringify(
    parts.map(({ teamNo, team, events: held }): Place => [teamNo, team, held[0]!.sequence, held.length]),
  );
  const head: Body = { ...directoryOf(events), hashes: parts.flatMap((part) => part.hashes) };
  const body = pack(head, events);
  connection.run(
    'INSERT INTO journal (no, places, places_checksum, body, checksum) VALUES (?, ?, ?, ?, ?)',
    no,
    places,
    crcOf(places),
    body,
    crcOf(body),
  );
  return body.length;
}

/** What the journal must have. */
export interface JournalEnd {
  /** Number of the next row. */
  readonly next: number;
  /** Of the newest row, and how many there are; both 0 when it is empty. */
  readonly newest: number;
  readonly rows: number;
}

export function readJournalEnd(connection: Connection): JournalEnd {
  const end = connection.get<JournalEnd>('SELECT next, newest, rows FROM journal_end WHERE id = 1');
  if (!end) throw damagedInAll();
  return end;
}

export function writeJournalEnd(connection: Connection, { next, newest, rows }: JournalEnd): void {
  connection.run('UPDATE journal_end SET next = ?, newest = ?, rows = ? WHERE id = 1', next, newest, rows);
}

/** Reads the journal through one connection. What it says is of the moment: read rows and journal in one snapshot. */
export class JournalReader {
  readonly #connection: Connection;
  /** Rows read so far, by team; those that have moved are dropped when the team is asked for. */
  readonly #rows = new Map<number, { readonly no: number; readonly first: Sequence; readonly last: Sequence }[]>();
  #seen = 0;
  readonly #texts: Texts;
  readonly #read = new LRUCache<number, readonly JournalPart[]>({
    maxSize: EVENTS_KEPT,
    sizeCalculation: (parts) => parts.reduce((sum, { events }) => sum + events.length, 1),
  });

  constructor(connection: Connection, texts: Texts = createTexts()) {
    this.#connection = connection;
    this.#texts = texts;
  }

  /** Tells of any team its last sequence, `moved` when the journal has none after it. */
  lasts(): (teamNo: number, moved: Sequence) => Sequence {
    this.#refresh();
    return (teamNo, moved) => this.#of(teamNo, moved).at(-1)?.last ?? moved;
  }

  /** The team's events after `after`, oldest first; `moved` is the last in the team's own rows. */
  *events(teamNo: number, team: TeamId, moved: Sequence, after: Sequence): Generator<LoggedEvent> {
    this.#refresh();
    let next = moved + 1;
    for (const { no, first, last } of this.#of(teamNo, moved)) {
      if (first > next) throw missing(team, next, first - 1);
      // Only of the first row some may have moved.
      if (first < next && next > moved + 1) throw damagedIn(team);
      next = last + 1;
      if (last <= after) continue;
      const part = this.#parts(no, team).find((p) => p.teamNo === teamNo);
      if (!part) throw missing(team, first, last);
      for (const event of part.events) if (event.sequence > Math.max(moved, after)) yield event;
    }
  }

  /** The rows, oldest first, with what they hold; an error instead where that cannot be read. */
  *all(): Generator<JournalRow> {
    for (const no of this.#numbers()) {
      const places = this.#places(no);
      const { bytes } = this.#connection.get<{ bytes: number }>(
        'SELECT length(body) AS bytes FROM journal WHERE no = ?',
        no,
      )!;
      try {
        yield { no, bytes, places, parts: this.#parts(no, places[0]![1]) };
      } catch (error) {
        if (!(error instanceof StorageDamaged)) throw error;
        yield { no, bytes, places, parts: error };
      }
    }
  }

  #of(teamNo: number, moved: Sequence) {
    const rows = this.#rows.get(teamNo) ?? [];
    while (rows[0] && rows[0].last <= moved) rows.shift();
    if (rows.length === 0) this.#rows.delete(teamNo);
    return rows;
  }

  /** The numbers of all rows; throws StorageDamaged when they are not those that must be there. */
  #numbers(): readonly number[] {
    const { newest, rows } = readJournalEnd(this.#connection);
    const numbers = this.#connection.all<{ no: number }>('SELECT no FROM journal ORDER BY no').map(({ no }) => no);
    if (numbers.length !== rows || (numbers.at(-1) ?? 0) !== newest) throw damagedInAll();
    return numbers;
  }

  /** Reads which teams the rows hold that are new. */
  #refresh(): void {
    if (readJournalEnd(this.#connection).newest <= this.#seen) return;
    for (const no of this.#numbers()) {
      if (no <= this.#seen) continue;
      for (const [teamNo, , first, count] of this.#places(no)) {
        const rows = this.#rows.get(teamNo);
        const row = { no, first, last: first + count - 1 };
        if (rows) rows.push(row);
        else this.#rows.set(teamNo, [row]);
      }
      this.#seen = no;
    }
  }

  #places(no: number): readonly Place[] {
    const row = this.#connection.get<{ places: string; checksum: number }>(
      'SELECT places, places_checksum AS checksum FROM journal WHERE no = ?',
      no,
    );
    if (!row || crcOf(row.places) !== row.checksum) throw damagedInAll();
    return JSON.parse(row.places) as Place[];
  }

  #parts(no: number, team: TeamId): readonly JournalPart[] {
    const known = this.#read.get(no);
    if (known) return known;
    const row = this.#connection.get<{ body: string | Uint8Array; checksum: number }>(
      'SELECT body, checksum FROM journal WHERE no = ?',
      no,
    );
    if (!row || crcOf(row.body) !== row.checksum) throw damagedIn(team);
    const held = new Row<Body>(row.body, this.#texts);
    let from = 0;
    const parts = this.#places(no).map(([teamNo, id, first, count]): JournalPart => {
      const events = held.events({ team: id, first, from, count });
      const hashes = held.head.hashes.slice(from, from + count);
      from += count;
      return { teamNo, team: id, events, hashes };
    });
    this.#read.set(no, parts);
    return parts;
  }
}

function damagedInAll(): StorageDamaged {
  return new StorageDamaged('trailproof.db is damaged in the newest events of all teams');
}

/** Events in the journal are not as they were written. */
export function damagedIn(team: TeamId): StorageDamaged {
  return new StorageDamaged(`trailproof.db is damaged in the newest events of team ${team}`);
}

/** Events are not there that should be. */
export function missing(team: TeamId, from: Sequence, through: Sequence): StorageDamaged {
  return new StorageDamaged(`trailproof.db is damaged: it has lost events ${from} to ${through} of team ${team}`);
}
