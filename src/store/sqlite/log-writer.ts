import type { Clock } from '../../clock.ts';
import type { LoggedEvent, NewEvents, Sequence, TeamId } from '../../event/logged-event.ts';
import { type PackedEvent, PackedEvents } from '../../event/packed-events.ts';
import { type Appended, type LogBounds, StorageDamaged } from '../event-log.ts';
import { DEFAULT_ALERTS, type Team } from '../teams.ts';
import { CHUNK_BYTES, CHUNK_EVENTS, checksumOf, intoRows } from './chunk.ts';
import type { Connection } from './connection.ts';
import { damagedIn, type JournalPart, missing } from './journal.ts';
import { JournalWriter } from './journal-writer.ts';
import { LogReader } from './log-reader.ts';
import { COMPRESSED_EVENTS, directoryOf, pack } from './row.ts';
import { type Reread, Slabs, TailEvent } from './tail-event.ts';
import { type Ragged, raggedOf, readTeamEnd, type TeamEnd } from './team-end.ts';

/** Teams whose counters are kept in memory between commits. */
const TEAMS_KEPT = 10_000;
/** What an event in memory costs beside its JSON, about. */
const EVENT_OVERHEAD_BYTES = 250;
/** Values remembered as already in the team's vocabulary; a cache, emptied when it is full. */
const SEEN_KEPT = 1_000;
/** An event stays in the journal for so long at most: what retention deletes shall not live on in there. */
export const JOURNAL_MS = 30_000;
/** All rows of the journal, on disk: what is read when the store is opened. */
const JOURNAL_BYTES = 16 * 1024 * 1024;
/** All events that are in the journal only; they are in memory too. */
const LOOSE_BYTES = 24 * 1024 * 1024;
/** Pieces of memory begun since an event came, 96 MiB: one that stayed longer would keep all of its piece from being used again. */
const SLABS_BEHIND = 384;
/** Of a SHA-256 in base64url. */
const WHOLE_HASH_LENGTH = 43;

export interface LogWriterOptions {
  readonly defaultRetentionDays: number;
  /** Of the newest events in memory, those not counted that are in the journal only. */
  readonly tailBytes: number;
  /** Reads what memory has let go of; may outlive the writer. */
  readonly reread: Reread;
}

/**
 * Writes the log through one connection, always inside a transaction of the caller's. What it keeps in memory mirrors
 * the database: after a rollback or an uncertain commit it must be thrown away and made anew.
 */
export class LogWriter {
  readonly #connection: Connection;
  readonly #reader: LogReader;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #options: LogWriterOptions;
  /** Least recently grown first. */
  readonly #ends = new Map<TeamId, TeamEnd>();
  readonly #grown = new Set<TeamEnd>();
  /** Teams with loose events, in the order in which they got them. */
  readonly #withLoose = new Set<TeamEnd>();
  readonly #journal: JournalWriter;
  /** Journal rows were damaged: these teams, or all, get no more events, whose places nobody knows. */
  readonly #damaged = new Map<TeamId, StorageDamaged>();
  #allDamaged: StorageDamaged | undefined;
  readonly #slabs = new Slabs();
  readonly #names = new Map<string, string>();
  #looseBytes = 0;
  /** How many events moved to their teams' rows and are still in memory, by team, in the order in which they moved. */
  readonly #moves: { readonly end: TeamEnd; count: number }[] = [];
  /** Of these events. */
  #movedBytes = 0;

  constructor(connection: Connection, clock: Pick<Clock, 'now'>, options: LogWriterOptions) {
    this.#connection = connection;
    this.#reader = new LogReader(connection);
    this.#journal = new JournalWriter(connection);
    this.#clock = clock;
    this.#options = options;
    this.#recover();
  }

  /** Whether some events are in the journal only. */
  get hasLoose(): boolean {
    return this.#withLoose.size > 0;
  }

  /** Gives the new events among `events` their places; rows are written by `flush`. */
  append(events: NewEvents): Appended[] {
    const now = this.#clock.now();
    const outcomes: Appended[] = [];
    for (const event = PackedEvents.of(events).cursor(); event.next(); ) outcomes.push(this.#append(event, now));
    return outcomes;
  }

  /**
   * Writes what was appended since the last flush: as rows of its team when they are full, else into the journal. What
   * has been in the journal for long, or would make it or memory too large, moves to its teams' rows.
   */
  flush(): void {
    for (const end of this.#grown) this.#write(end, false);
    const now = this.#clock.now();
    for (const end of this.#withLoose) {
      const isLarge = this.#looseBytes > LOOSE_BYTES || this.#journal.bytes > JOURNAL_BYTES;
      const isFarBehind = this.#slabs.behind(end.recent.at(-end.loose)!) > SLABS_BEHIND;
      // Either way: the clock may have been set back.
      if (!isLarge && !isFarBehind && Math.abs(now - end.looseSince) < JOURNAL_MS) break;
      this.#write(end, true);
    }
    this.#keepInJournal();
    this.#journal.flush();
  }

  /** Moves every event from the journal to its team's rows; to be flushed. */
  empty(): void {
    for (const end of [...this.#withLoose]) this.#write(end, true);
  }

  /** To be called after the commit: frees memory past the caps and says which teams grew. */
  committed(): { readonly team: TeamId; readonly last: Sequence }[] {
    const grown = [...this.#grown].map(({ team, last }) => ({ team, last }));
    for (const end of this.#grown) {
      this.#ends.delete(end.team);
      this.#ends.set(end.team, end);
    }
    this.#grown.clear();
    let done = 0;
    for (; this.#movedBytes > this.#options.tailBytes && done < this.#moves.length; done++) {
      const move = this.#moves[done]!;
      move.count -= this.#forget(move.end, move.count, this.#movedBytes - this.#options.tailBytes);
      if (move.count > 0 && this.#movedBytes <= this.#options.tailBytes) break;
    }
    this.#moves.splice(0, done);
    if (this.#ends.size > TEAMS_KEPT)
      for (const end of this.#ends.values()) {
        if (this.#ends.size <= TEAMS_KEPT) break;
        if (end.loose > 0) continue;
        this.#forget(end);
        this.#ends.delete(end.team);
      }
    return grown;
  }

  /** Every team with its last sequence; none when the log is too damaged to say. */
  teams(): readonly { readonly team: TeamId; readonly last: Sequence }[] {
    try {
      return this.#reader.teams();
    } catch (error) {
      if (error instanceof StorageDamaged) return [];
      throw error;
    }
  }

  /** The team's log in figures, when they are in memory. */
  bounds(team: TeamId): LogBounds | undefined {
    const end = this.#ends.get(team);
    if (!end) return undefined;
    return end.last > 0 ? { first: end.kept, last: end.last } : { first: 0, last: 0 };
  }

  /** The events after `after` from memory; undefined when memory does not reach back that far. */
  recent(team: TeamId, after: Sequence): Iterable<LoggedEvent> | undefined {
    const end = this.#ends.get(team);
    if (!end || after < end.last - end.recent.length) return undefined;
    return slice(end.recent, Math.max(0, after - end.last + end.recent.length));
  }

  /** Creates the team; false when it exists, or existed once. */
  createTeam({ id, name, retentionDays, createdAt, alerts }: Team): boolean {
    return (
      this.#connection.run(
        // The rows themselves are asked: a damaged index must not let the log of a team begin anew.
        `INSERT INTO team (id, name, retention_days, created_at, alerts) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM team NOT INDEXED WHERE id = ?1) ON CONFLICT DO NOTHING`,
        id,
        name,
        retentionDays,
        createdAt,
        JSON.stringify(alerts),
      ) > 0
    );
  }

  /** The team's log takes nothing from now on, and its vocabulary is forgotten. */
  deleteTeam(team: TeamId, at: number): void {
    const end = this.#find(team);
    if (!end) return;
    end.deletedAt = at;
    this.#connection.run('UPDATE team SET deleted_at = ? WHERE no = ?', at, end.no);
    this.#connection.run('DELETE FROM seen WHERE team_no = ?', end.no);
  }

  /** Deletes the events up to `through` that lie in the oldest row, and their ids. Returns how many. */
  deleteOldest(team: TeamId, through: Sequence): number {
    const end = this.#find(team);
    if (!end) return 0;
    this.#write(end, true);
    const [row] = this.#reader.chunks(end.no, team, 0);
    if (!row || row[0]!.sequence > through) return 0;
    const deleted = row.filter((event) => event.sequence <= through);
    this.#connection.run('DELETE FROM chunk WHERE team_no = ? AND first_sequence = ?', end.no, row[0]!.sequence);
    end.ids.delete(deleted);
    this.#insert(end.no, intoRows(row.slice(deleted.length)));
    end.kept = deleted.at(-1)!.sequence + 1;
    this.#connection.run('UPDATE team SET first_kept = ? WHERE no = ?', end.kept, end.no);
    if (through > end.last - end.recent.length) this.#forget(end);
    Object.assign(end, raggedOf(this.#connection, end.no, end.last));
    return deleted.length;
  }

  #append(event: PackedEvent, now: number): Appended {
    const end = this.#find(event.team) ?? this.#create(event.team, now);
    if (end.deletedAt !== null) return { kind: 'team_deleted' };
    const { id } = event;
    const known = this.#known(end, id);
    if (known) return { kind: isSame(known.hash, event.hash) ? 'duplicate' : 'conflict', sequence: known.sequence };
    const sequence = end.last + 1;
    const receivedAt = Math.max(now, end.lastReceivedAt);
    const eventType = this.#named(event.eventType);
    const eventCategory = this.#named(event.eventCategory);
    const kept = { team: end.team, sequence, id, eventType, eventCategory };
    const lies = this.#slabs.append(event, sequence, receivedAt);
    this.#addLoose(end, new TailEvent(kept, lies), now);
    end.fresh += 1;
    this.#grown.add(end);
    this.#see(end, 'category', eventCategory);
    this.#see(end, 'type', eventType);
    return { kind: 'appended', sequence };
  }

  /** The same text as one object: each call brings its own copies, which would stay with the events. */
  #named(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= SEEN_KEPT) this.#names.clear();
    this.#names.set(name, name);
    return name;
  }

  #addLoose(end: TeamEnd, event: TailEvent, now: number): void {
    if (end.loose === 0) {
      end.looseSince = now;
      this.#withLoose.add(end);
    }
    end.recent.push(event);
    end.loose += 1;
    end.looseIds.set(event.id, event);
    end.smallBytes += event.bytes;
    this.#looseBytes += event.bytes + EVENT_OVERHEAD_BYTES;
    end.last = event.sequence;
    end.lastReceivedAt = event.receivedAt;
  }

  #known(end: TeamEnd, id: string): { readonly sequence: Sequence; readonly hash: string } | undefined {
    return end.looseIds.get(id) ?? end.ids.find(id);
  }

  #see(end: TeamEnd, kind: 'category' | 'type', value: string): void {
    const seen = end.seen[kind];
    if (seen.has(value)) return;
    this.#connection.run(
      'INSERT INTO seen (team_no, kind, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      end.no,
      kind,
      value,
    );
    if (seen.size >= SEEN_KEPT) seen.clear();
    seen.add(value);
  }

  /** Moves the team's loose events to its rows: all of them, or those that fill rows. */
  #write(end: TeamEnd, isForced: boolean): void {
    if (end.loose === 0) return;
    let left = 0;
    if (end.last - end.fullThrough >= CHUNK_EVENTS || end.smallBytes >= CHUNK_BYTES)
      left = this.#merge(end, end.fullThrough, isForced);
    else if (!isForced) return;
    else if (end.last - end.compressedThrough >= COMPRESSED_EVENTS) this.#merge(end, end.compressedThrough, true);
    else this.#insertLast(end);
    this.#moved(end, left);
  }

  /**
   * Writes the events behind `after` anew: rows that hold some of them are replaced. Returns how many at the end stay
   * loose, as they fill no row.
   */
  #merge(end: TeamEnd, after: Sequence, isForced: boolean): number {
    const events = this.#since(end, after);
    if (!events) {
      this.#leave(end);
      return 0;
    }
    this.#connection.run('DELETE FROM chunk WHERE team_no = ? AND first_sequence > ?', end.no, after);
    const rows = [...intoRows(events)];
    const rest = rows.at(-1)!;
    const isFull = rest.events.length >= CHUNK_EVENTS || rest.bytes >= CHUNK_BYTES;
    // What was in rows already must stay in rows.
    const mayStay = rows.length > 1 && rest.events.length <= end.loose;
    const left = isForced || isFull || !mayStay ? 0 : rest.events.length;
    if (left > 0) rows.pop();
    this.#insert(end.no, rows);
    Object.assign(end, raggedOf(this.#connection, end.no, end.last - left));
    if (left > 0) end.smallBytes += rest.bytes;
    return left;
  }

  /** The team's loose events but the last `left` are in its rows now: their ids are written down, the journal lets go of them. */
  #moved(end: TeamEnd, left: number): void {
    const moved = end.recent.slice(end.recent.length - end.loose, end.recent.length - left);
    const last = moved.at(-1)!;
    end.ids.add(moved);
    for (const { bytes } of moved) {
      this.#looseBytes -= bytes + EVENT_OVERHEAD_BYTES;
      this.#movedBytes += bytes + EVENT_OVERHEAD_BYTES;
    }
    this.#connection.run(
      'UPDATE team SET last_sequence = ?, last_received_at = ? WHERE no = ?',
      last.sequence,
      last.receivedAt,
      end.no,
    );
    for (const no of end.journaled) this.#journal.release(no);
    end.journaled = [];
    this.#moves.push({ end, count: moved.length });
    // Few are left: cheaper than to take out the others.
    end.looseIds = new Map(end.recent.slice(end.recent.length - left).map((event) => [event.id, event]));
    end.loose = left;
    end.fresh = Math.min(end.fresh, left);
    this.#withLoose.delete(end);
    if (left === 0) return;
    end.looseSince = this.#clock.now();
    this.#withLoose.add(end);
  }

  /** What the running transaction has brought and is in no row yet becomes one row of the journal. */
  #keepInJournal(): void {
    const ends = [...this.#grown].filter(({ fresh }) => fresh > 0);
    if (ends.length === 0) return;
    const no = this.#journal.add(
      ends.map((end) => {
        const events = end.recent.slice(-end.fresh);
        return { teamNo: end.no, team: end.team, events, hashes: events.map(({ hash }) => hash) };
      }),
    );
    for (const end of ends) {
      end.journaled.push(no);
      end.fresh = 0;
    }
  }

  /** Reads back what is in the journal only. */
  #recover(): void {
    try {
      for (const row of this.#journal.read()) {
        const { no, places, parts } = row;
        const isSound = !(parts instanceof StorageDamaged);
        if (!isSound) for (const [, team] of places) this.#damaged.set(team, parts);
        this.#journal.keep(row, isSound ? parts.filter((part) => this.#recoverPart(no, part)).length : 1);
      }
    } catch (error) {
      if (!(error instanceof StorageDamaged)) throw error;
      this.#allDamaged = error;
    }
  }

  /** The events behind `after`; undefined when their rows are damaged. */
  #since(end: TeamEnd, after: Sequence): readonly LoggedEvent[] | undefined {
    const count = end.last - after;
    const loose = end.recent.slice(-end.loose);
    if (count <= end.recent.length) return end.recent.slice(-count);
    try {
      const events = [...this.#reader.events(end.no, end.team, after), ...loose];
      return events.length === count ? events : undefined;
    } catch (error) {
      if (error instanceof StorageDamaged) return undefined;
      throw error;
    }
  }

  /** False: the team has moved all of it to its rows. What is damaged stays in the journal. */
  #recoverPart(no: number, { team, events, hashes }: JournalPart): boolean {
    try {
      const end = this.#find(team);
      if (!end) throw new StorageDamaged(`trailproof.db is damaged: its index does not know the team ${team}`);
      const before = end.loose;
      // Only of the first row some may have moved.
      if (before > 0 && events[0]!.sequence <= end.last) throw damagedIn(team);
      for (const [i, event] of events.entries()) {
        if (event.sequence <= end.last) continue;
        if (event.sequence > end.last + 1) throw missing(team, end.last + 1, event.sequence - 1);
        const { timestamp, json, receivedAt } = event;
        const lies = this.#slabs.add({ timestamp, json, hash: hashes[i]! }, receivedAt);
        this.#addLoose(end, new TailEvent(event, lies), this.#clock.now());
      }
      if (end.loose > before) end.journaled.push(no);
      return end.loose > before;
    } catch (error) {
      if (!(error instanceof StorageDamaged)) throw error;
      this.#damaged.set(team, error);
      return true;
    }
  }

  /** Damaged rows are left to whoever repairs them; new ones begin behind them. */
  #leave(end: TeamEnd): void {
    this.#insertLast(end);
    const smallBytes = end.recent.slice(-end.loose).reduce((sum, { bytes }) => sum + bytes, 0);
    const through = end.last - end.loose;
    Object.assign(end, { fullThrough: through, compressedThrough: through, smallBytes } satisfies Ragged);
  }

  /** The loose events as rows of their own. */
  #insertLast(end: TeamEnd): void {
    this.#insert(end.no, intoRows(end.recent.slice(-end.loose)));
  }

  #insert(no: number, rows: Iterable<{ readonly events: readonly LoggedEvent[]; readonly bytes: number }>): void {
    for (const { events, bytes } of rows) {
      const row = { first: events[0]!.sequence, count: events.length, body: pack(directoryOf(events), events) };
      this.#connection.run(
        `INSERT INTO chunk (team_no, first_sequence, count, bytes, last_received_at, body, checksum)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        no,
        row.first,
        row.count,
        bytes,
        events.at(-1)!.receivedAt,
        row.body,
        checksumOf(no, row),
      );
    }
  }

  #find(team: TeamId): TeamEnd | undefined {
    const damage = this.#allDamaged ?? this.#damaged.get(team);
    if (damage) throw damage;
    const known = this.#ends.get(team);
    if (known) return known;
    const end = readTeamEnd(this.#connection, team);
    if (!end) return undefined;
    this.#ends.set(team, end);
    return end;
  }

  #create(team: TeamId, now: number): TeamEnd {
    const { defaultRetentionDays: retentionDays } = this.#options;
    this.createTeam({ id: team, name: team, retentionDays, createdAt: now, alerts: DEFAULT_ALERTS });
    const end = this.#find(team);
    if (!end) throw new StorageDamaged(`trailproof.db is damaged: its index does not know the team ${team}`);
    return end;
  }

  /** Lets go of the team's oldest events in memory, `most` or as many as free `bytes`; never of loose ones. Returns how many. */
  #forget(end: TeamEnd, most = end.recent.length, bytes = Number.POSITIVE_INFINITY): number {
    const held = Math.min(most, end.recent.length - end.loose);
    let count = 0;
    for (let freed = 0; count < held && freed < bytes; count++)
      freed += end.recent[count]!.bytes + EVENT_OVERHEAD_BYTES;
    for (const event of end.recent.splice(0, count)) {
      this.#movedBytes -= event.bytes + EVENT_OVERHEAD_BYTES;
      event.letGo(this.#options.reread);
    }
    return count;
  }
}

/** Of the contents of two events with one id. An earlier version kept hashes whole. */
function isSame(known: string, hash: string): boolean {
  return known === hash || (known.length === WHOLE_HASH_LENGTH && known.startsWith(hash));
}

function* slice(events: readonly LoggedEvent[], from: number): Generator<LoggedEvent> {
  for (let index = from; index < events.length; index++) yield events[index]!;
}
