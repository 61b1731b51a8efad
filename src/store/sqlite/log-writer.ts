import type { Clock } from '../../clock.ts';
import { type LoggedEvent, type NewEvent, type Sequence, type TeamId, withPlace } from '../../event/logged-event.ts';
import { type Appended, StorageDamaged } from '../event-log.ts';
import { DEFAULT_ALERTS, type Team } from '../teams.ts';
import { CHUNK_BYTES, CHUNK_EVENTS, COMPRESSED_EVENTS, checksumOf, encodeChunk, intoRows } from './chunk.ts';
import type { Connection } from './connection.ts';
import { LogReader } from './log-reader.ts';

/** Teams whose counters are kept in memory between commits. */
const TEAMS_KEPT = 10_000;
/** What an event in memory costs beside its JSON, about. */
const EVENT_OVERHEAD_BYTES = 250;
/** Values remembered as already in the team's vocabulary; a cache, emptied when it is full. */
const SEEN_KEPT = 1_000;

/** One team's end of the log in memory, the running transaction included. */
interface TeamEnd {
  readonly no: number;
  readonly team: TeamId;
  deletedAt: number | null;
  last: Sequence;
  lastReceivedAt: number;
  /** Events up to here lie in full rows; those behind it, of `smallBytes`, in smaller ones until they fill one. */
  fullThrough: Sequence;
  smallBytes: number;
  /** Events up to here lie in compressed rows; those behind it in rows of text until there are enough. */
  compressedThrough: Sequence;
  /** The newest events, contiguous up to `last`; as many as the cap allows. */
  recent: LoggedEvent[];
  recentBytes: number;
  /** How many at the end of `recent` are not in a row yet. */
  unwritten: number;
  readonly seen: { readonly category: Set<string>; readonly type: Set<string> };
}

/** Where the rows that are to be merged begin. */
type Ragged = Pick<TeamEnd, 'fullThrough' | 'smallBytes' | 'compressedThrough'>;

/**
 * Writes the log through one connection, always inside a transaction of the caller's. What it keeps in memory mirrors
 * the database: after a rollback or an uncertain commit it must be thrown away and made anew.
 */
export class LogWriter {
  readonly #connection: Connection;
  readonly #reader: LogReader;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #options: { readonly defaultRetentionDays: number; readonly tailBytes: number };
  /** Least recently grown first. */
  readonly #ends = new Map<TeamId, TeamEnd>();
  readonly #grown = new Set<TeamEnd>();
  #recentBytes = 0;

  constructor(
    connection: Connection,
    clock: Pick<Clock, 'now'>,
    options: { readonly defaultRetentionDays: number; readonly tailBytes: number },
  ) {
    this.#connection = connection;
    this.#reader = new LogReader(connection);
    this.#clock = clock;
    this.#options = options;
  }

  /** Gives the new events among `events` their places; rows are written by `flush`. */
  append(events: readonly NewEvent[]): Appended[] {
    const now = this.#clock.now();
    return events.map((event) => this.#append(event, now));
  }

  /** Writes what was appended since the last flush as rows, merging the team's small rows when they fill a larger one. */
  flush(): void {
    for (const end of this.#grown) {
      if (end.unwritten === 0) continue;
      if (end.last - end.fullThrough >= CHUNK_EVENTS || end.smallBytes >= CHUNK_BYTES)
        this.#merge(end, end.fullThrough);
      else if (end.last - end.compressedThrough >= COMPRESSED_EVENTS) this.#merge(end, end.compressedThrough);
      else this.#insert(end, end.recent.slice(-end.unwritten));
      end.unwritten = 0;
      this.#connection.run(
        'UPDATE team SET last_sequence = ?, last_received_at = ? WHERE no = ?',
        end.last,
        end.lastReceivedAt,
        end.no,
      );
    }
  }

  /** To be called after the commit: frees memory past the caps and says which teams grew. */
  committed(): { readonly team: TeamId; readonly last: Sequence }[] {
    const grown = [...this.#grown].map(({ team, last }) => ({ team, last }));
    for (const end of this.#grown) {
      this.#ends.delete(end.team);
      this.#ends.set(end.team, end);
    }
    this.#grown.clear();
    for (const end of this.#ends.values()) {
      const tooMuch = this.#recentBytes - this.#options.tailBytes;
      if (tooMuch <= 0 && this.#ends.size <= TEAMS_KEPT) break;
      this.#forget(end, this.#ends.size > TEAMS_KEPT ? end.recentBytes : tooMuch);
      if (end.recent.length === 0) this.#ends.delete(end.team);
    }
    return grown;
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
    this.flush();
    const end = this.#find(team);
    if (!end) return 0;
    const [row] = this.#reader.chunks(end.no, team, 0);
    if (!row || row[0]!.sequence > through) return 0;
    const deleted = row.filter((event) => event.sequence <= through);
    this.#connection.run('DELETE FROM chunk WHERE team_no = ? AND first_sequence = ?', end.no, row[0]!.sequence);
    for (const { id } of deleted) this.#connection.run('DELETE FROM event_id WHERE team_no = ? AND id = ?', end.no, id);
    this.#insert(end, row.slice(deleted.length));
    this.#connection.run('UPDATE team SET first_kept = ? WHERE no = ?', deleted.at(-1)!.sequence + 1, end.no);
    if (through > end.last - end.recent.length) this.#forget(end, end.recentBytes);
    Object.assign(end, this.#ragged(end.no, end.last));
    return deleted.length;
  }

  #append(event: NewEvent, now: number): Appended {
    const end = this.#find(event.team) ?? this.#create(event.team, now);
    if (end.deletedAt !== null) return { kind: 'team_deleted' };
    const sequence = end.last + 1;
    const isNew = this.#connection.run(
      'INSERT INTO event_id (team_no, id, sequence, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      end.no,
      event.id,
      sequence,
      event.hash,
    );
    if (!isNew) return this.#collision(end.no, event);
    const receivedAt = Math.max(now, end.lastReceivedAt);
    const json = withPlace(event.json, sequence, receivedAt);
    const { team, id, eventType, eventCategory, timestamp } = event;
    const bytes = Buffer.byteLength(json);
    end.recent.push({ team, sequence, id, eventType, eventCategory, timestamp, receivedAt, json, bytes });
    end.smallBytes += bytes;
    end.recentBytes += bytes + EVENT_OVERHEAD_BYTES;
    this.#recentBytes += bytes + EVENT_OVERHEAD_BYTES;
    end.unwritten += 1;
    end.last = sequence;
    end.lastReceivedAt = receivedAt;
    this.#grown.add(end);
    this.#see(end, 'category', eventCategory);
    this.#see(end, 'type', eventType);
    return { kind: 'appended', sequence };
  }

  #collision(no: number, event: NewEvent): Appended {
    const known = this.#connection.get<{ sequence: Sequence; hash: string }>(
      'SELECT sequence, hash FROM event_id WHERE team_no = ? AND id = ?',
      no,
      event.id,
    )!;
    return { kind: known.hash === event.hash ? 'duplicate' : 'conflict', sequence: known.sequence };
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

  /** Writes the events behind `after` anew: rows that hold some of them are replaced. */
  #merge(end: TeamEnd, after: Sequence): void {
    const events = this.#since(end, after);
    if (!events) {
      this.#leave(end);
      return;
    }
    this.#connection.run('DELETE FROM chunk WHERE team_no = ? AND first_sequence > ?', end.no, after);
    this.#insert(end, events);
    Object.assign(end, this.#ragged(end.no, end.last));
  }

  /** The events behind `after`; undefined when their rows are damaged. */
  #since(end: TeamEnd, after: Sequence): readonly LoggedEvent[] | undefined {
    const count = end.last - after;
    const unwritten = end.recent.slice(-end.unwritten);
    if (count <= end.recent.length) return end.recent.slice(-count);
    try {
      const events = [...this.#reader.events(end.no, end.team, after), ...unwritten];
      return events.length === count ? events : undefined;
    } catch (error) {
      if (error instanceof StorageDamaged) return undefined;
      throw error;
    }
  }

  /** Damaged rows are left to whoever repairs them; new ones begin behind them. */
  #leave(end: TeamEnd): void {
    const events = end.recent.slice(-end.unwritten);
    this.#insert(end, events);
    const smallBytes = events.reduce((sum, { bytes }) => sum + bytes, 0);
    const through = end.last - events.length;
    Object.assign(end, { fullThrough: through, compressedThrough: through, smallBytes } satisfies Ragged);
  }

  #insert({ no }: TeamEnd, events: readonly LoggedEvent[]): void {
    for (const { events: held, bytes } of intoRows(events)) {
      const row = { first: held[0]!.sequence, count: held.length, body: encodeChunk(held) };
      this.#connection.run(
        `INSERT INTO chunk (team_no, first_sequence, count, bytes, last_received_at, body, checksum)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        no,
        row.first,
        row.count,
        bytes,
        held.at(-1)!.receivedAt,
        row.body,
        checksumOf(no, row),
      );
    }
  }

  #find(team: TeamId): TeamEnd | undefined {
    const known = this.#ends.get(team);
    if (known) return known;
    const found = this.#connection.get<
      Pick<TeamEnd, 'no' | 'deletedAt' | 'last' | 'lastReceivedAt'> & { readonly kept: Sequence }
    >(
      `SELECT no, deleted_at AS deletedAt, first_kept AS kept, last_sequence AS last, last_received_at AS lastReceivedAt
       FROM team WHERE id = ?`,
      team,
    );
    if (!found) return undefined;
    const { kept, ...row } = found;
    // A place given by a wrong counter would be given twice, or leave a hole.
    if (kept <= row.last) this.#mustEnd(team, row);
    const end: TeamEnd = {
      ...row,
      team,
      ...this.#ragged(row.no, row.last),
      recent: [],
      recentBytes: 0,
      unwritten: 0,
      seen: { category: new Set(), type: new Set() },
    };
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

  /** The newest row ends where the team's log does. */
  #mustEnd(team: TeamId, { no, last }: Pick<TeamEnd, 'no' | 'last'>): void {
    const end = this.#connection.get<{ last: Sequence }>(
      'SELECT first_sequence + count - 1 AS last FROM chunk WHERE team_no = ? ORDER BY first_sequence DESC LIMIT 1',
      no,
    )?.last;
    if (end !== last)
      throw new StorageDamaged(
        `trailproof.db is damaged: the log of team ${team} should end with event ${last} and ends with ${end ?? 'none'}`,
      );
  }

  /** Where the rows to be merged begin, as the database has it. */
  #ragged(no: number, last: Sequence): Ragged {
    const ragged = { fullThrough: last, smallBytes: 0, compressedThrough: last };
    let isText = true;
    const newestFirst = this.#connection.iterate<{ first: Sequence; count: number; bytes: number }>(
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

  /** Drops at least `bytes` of the team's oldest events from memory, if it has as many. */
  #forget(end: TeamEnd, bytes: number): void {
    let freed = 0;
    let count = 0;
    while (freed < bytes && count < end.recent.length) freed += end.recent[count++]!.bytes + EVENT_OVERHEAD_BYTES;
    end.recent.splice(0, count);
    end.recentBytes -= freed;
    this.#recentBytes -= freed;
  }
}

function* slice(events: readonly LoggedEvent[], from: number): Generator<LoggedEvent> {
  for (let index = from; index < events.length; index++) yield events[index]!;
}
