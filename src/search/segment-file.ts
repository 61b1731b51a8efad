import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Sequence, TeamId } from '../event/logged-event.ts';
import { giveBack } from '../give-back.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Column, type ColumnPart, joinColumns, piecesOf } from './column.ts';
import type { FieldName } from './match.ts';
import { type Columns, decodeTimes, encodeTimes, FIELD_NAMES, type Segment, wordsOf } from './segment.ts';
import { Values } from './values.ts';

/** A segment without its columns. */
export interface SegmentRow extends Omit<Segment, 'columns' | 'times' | 'periods'> {
  readonly id: number;
  /** 0: built from the log; one more than that of those it was joined from. */
  readonly tier: number;
  /** Of all its blobs. */
  readonly bytes: number;
}

/** A segment that a query was about to read is gone (trimmed, or the file was made anew): the query begins again. */
export class SegmentGone extends Error {}

/** Raise it whenever what is stored or its meaning changes: the index is then built anew. */
const VERSION = 3;
/**
 * Blobs are rows under `(segment * BLOBS + blob) * PIECES + piece`; of columns and times there are pieces, of all else the
 * first only. No segment has more pieces: it would have been joined from more than 16 of one.
 */
const BLOBS = 64;
const PIECES = 16;
const TEXT_OF = (column: number): number => 3 * column;
const STARTS_OF = (column: number): number => 3 * column + 1;
const CODES_OF = (column: number): number => 3 * column + 2;
const TIMES = 3 * FIELD_NAMES.length;
const PERIODS = TIMES + 1;
/** Blobs have up to some megabytes: the larger a page, the fewer there are to be read for one. */
const PAGE_BYTES = 16 * 1024;
/** SQLite's primary result codes: readonly database, disk image is malformed, file is not a database. */
const UNUSABLE = [8, 11, 26];

/**
 * The index file: segments by team, disposable. One of another version, or found corrupt at any time, is deleted and
 * begun anew, which the log of the service says.
 */
export class SegmentFile {
  readonly #path: string;
  readonly #logger: Logger | undefined;
  #database: DatabaseSync;
  #statements: ReturnType<typeof prepare>;
  /** Ids are never given twice, not even across a new file, so that a stale id finds nothing. */
  #nextId = 1;

  readonly #onNew: () => void;
  /** For joining. */
  readonly #values = new Values();

  /** `onNew`: the file had to be begun anew while in use. */
  constructor(folder: string, onNew: () => void, logger?: Logger) {
    this.#onNew = onNew;
    this.#path = join(folder, 'index.db');
    this.#logger = logger;
    try {
      this.#database = open(this.#path);
      this.#statements = prepare(this.#database);
      this.#nextId = 1 + Number(this.#statements.greatest.get()?.['id'] ?? 0);
      // Of a segment that was being joined.
      this.#statements.dropBlobs.run(keyOf(this.#nextId, 0), Number.MAX_SAFE_INTEGER);
    } catch (error) {
      if (!isUnusable(error)) throw error;
      [this.#database, this.#statements] = this.#begin(error);
    }
  }

  /** The team's segments that hold sequences from `low` to `high`, oldest first; none overlaps another. */
  segments(team: TeamId, low: Sequence, high: Sequence): readonly SegmentRow[] {
    return this.#run(() => this.#statements.list.all(team, low, high).map((row) => checked(team, row)));
  }

  /** The team's last segments, oldest first. */
  newest(team: TeamId, count: number): readonly SegmentRow[] {
    return this.#run(() => this.#statements.newest.all(team, count).map((row) => checked(team, row))).toReversed();
  }

  /** What the segment's columns are read from; throws SegmentGone when it is no longer there. */
  columns({ id }: SegmentRow): Columns {
    const blob = (field: FieldName, of: (column: number) => number, piece?: number): Buffer =>
      this.#blob(keyOf(id, of(FIELD_NAMES.indexOf(field)), piece));
    return {
      text: (field) => blob(field, TEXT_OF),
      starts: (field) => wordsOf(blob(field, STARTS_OF)),
      codes: (field, piece) => blob(field, CODES_OF, piece),
    };
  }

  /** Throws SegmentGone. */
  times({ id }: SegmentRow, piece: number): Uint8Array {
    return this.#blob(keyOf(id, TIMES, piece));
  }

  /** The least and the greatest time of each piece. Throws SegmentGone. */
  periods({ id }: SegmentRow): Float64Array {
    const { buffer, byteOffset, byteLength } = this.#blob(keyOf(id, PERIODS));
    return new Float64Array(buffer, byteOffset, byteLength / Float64Array.BYTES_PER_ELEMENT);
  }

  teams(): readonly TeamId[] {
    return this.#run(() => this.#statements.teams.all().map((row) => String(row['team'])));
  }

  insert(team: TeamId, { columns, times, periods, ...segment }: Segment): void {
    this.#transaction(() => {
      const id = this.#nextId++;
      let bytes = this.#insertTimes(id, { times, periods });
      for (const [i, column] of columns.entries()) bytes += this.#insertColumn(id, i, column);
      this.#insertRow(team, { id, tier: 0, bytes, ...segment });
    });
  }

  drop(segments: readonly SegmentRow[]): void {
    this.#transaction(() => this.#drop(segments));
  }

  /**
   * Makes one segment of consecutive ones, without the events before `first`; column by column, so that memory holds one
   * at a time and queries come between. Nothing else may be written meanwhile. Throws SegmentGone.
   */
  async join(team: TeamId, parts: readonly SegmentRow[], { first, tier }: Pick<SegmentRow, 'first' | 'tier'>) {
    const id = this.#nextId++;
    const { last, lastId } = parts.at(-1)!;
    try {
      const ranges = parts.map(
        (row): Range => ({
          row,
          events: row.last - row.first + 1,
          from: Math.max(0, first - row.first),
        }),
      );
      const times = this.#joinTimes(ranges, last - first + 1);
      let bytes = this.#run(() => this.#insertTimes(id, times));
      for (const [i, field] of FIELD_NAMES.entries()) {
        await setImmediate();
        const each = ranges.values().map(({ row, ...range }) => {
          const columns = this.columns(row);
          const codes = (piece: number): Uint8Array => columns.codes(field, piece);
          return { text: columns.text(field), starts: columns.starts(field), codes, ...range } satisfies ColumnPart;
        });
        const column = joinColumns(this.#values, last - first + 1, each);
        bytes += this.#run(() => this.#insertColumn(id, i, column));
        for (const codes of column.codes) giveBack(codes);
      }
      this.#transaction(() => {
        this.#drop(parts);
        this.#insertRow(team, { id, tier, bytes, first, last, lastId });
      });
    } catch (error) {
      this.#run(() => this.#dropBlobs(id));
      throw error;
    } finally {
      this.#values.clear();
    }
  }

  close(): void {
    this.#database.close();
  }

  #blob(key: number): Buffer {
    return this.#run(() => {
      const row = this.#statements.blob.get(key);
      if (!row) throw new SegmentGone();
      const { body, checksum } = row;
      // A damaged row may hold a value of another type than its column.
      if (!(body instanceof Uint8Array) || checksum !== checksumOf(key, body))
        throw new Unusable(`Blob ${key} of the index is damaged`);
      return Buffer.from(body.buffer, body.byteOffset, body.length);
    });
  }

  #joinTimes(ranges: readonly Range[], events: number): ReturnType<typeof encodeTimes> {
    const joined = new Float64Array(events);
    let at = 0;
    for (const { row, events: count, from } of ranges) {
      const periods = this.periods(row);
      for (const { piece, begin, end } of piecesOf(count, from)) {
        const times = this.times(row, piece);
        const { base, values } = decodeTimes(times, end - begin, periods[2 * piece]!);
        for (let i = Math.max(0, from - begin); i < values.length; i++) joined[at++] = base + values[i]!;
        giveBack(times);
      }
    }
    const encoded = encodeTimes(joined);
    giveBack(joined);
    return encoded;
  }

  #transaction(work: () => void): void {
    this.#run(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #drop(segments: readonly SegmentRow[]): void {
    for (const { id } of segments) {
      this.#dropBlobs(id);
      this.#statements.drop.run(id);
    }
  }

  #dropBlobs(id: number): void {
    this.#statements.dropBlobs.run(keyOf(id, 0), keyOf(id + 1, 0));
  }

  #insertRow(team: TeamId, row: SegmentRow): void {
    const { id, tier, bytes, first, last, lastId } = row;
    const checksum = checksumOfRow(team, row);
    this.#statements.insert.run(id, team, tier, bytes, first, last, lastId, checksum);
  }

  #insertColumn(id: number, column: number, { text, starts, codes }: Column): number {
    return (
      this.#insertBlobs(id, TEXT_OF(column), [text]) +
      this.#insertBlobs(id, STARTS_OF(column), [starts]) +
      this.#insertBlobs(id, CODES_OF(column), codes)
    );
  }

  #insertTimes(id: number, { times, periods }: Pick<Segment, 'times' | 'periods'>): number {
    return this.#insertBlobs(id, TIMES, times) + this.#insertBlobs(id, PERIODS, [periods]);
  }

  /** Returns their bytes. */
  #insertBlobs(id: number, blob: number, pieces: readonly NodeJS.ArrayBufferView[]): number {
    for (const [piece, { buffer, byteOffset, byteLength }] of pieces.entries()) {
      const key = keyOf(id, blob, piece);
      const body = new Uint8Array(buffer, byteOffset, byteLength);
      this.#statements.insertBlob.run(key, checksumOf(key, body), body);
    }
    return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isUnusable(error)) throw error;
      this.#database.close();
      [this.#database, this.#statements] = this.#begin(error);
      this.#onNew();
      throw new SegmentGone();
    }
  }

  #begin(cause: unknown): [DatabaseSync, ReturnType<typeof prepare>] {
    this.#logger?.warn({ err: cause }, 'The search index cannot be used and is built anew from the log');
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#path + suffix, { force: true });
    const database = open(this.#path);
    return [database, prepare(database)];
  }
}

/** The events of a segment from the place `from` on. */
interface Range {
  readonly row: SegmentRow;
  /** All that it has. */
  readonly events: number;
  readonly from: number;
}

function keyOf(id: number, blob: number, piece = 0): number {
  return (id * BLOBS + blob) * PIECES + piece;
}

/** Of a blob and its place: SQLite would hand out what a failing disk has made of either. */
function checksumOf(key: number, body: Uint8Array): number {
  return crc32(body, key % 2 ** 32);
}

function checksumOfRow(team: TeamId, { id, tier, bytes, first, last, lastId }: SegmentRow): number {
  return crc32(JSON.stringify([team, id, tier, bytes, first, last, lastId]));
}

function checked(team: TeamId, { checksum, ...row }: Record<string, unknown>): SegmentRow {
  const segment = row as unknown as SegmentRow;
  if (checksum !== checksumOfRow(team, segment)) throw new Unusable(`Segment ${segment.id} of the index is damaged`);
  return segment;
}

/** The index as a whole. */
class Unusable extends Error {}

function isUnusable(error: unknown): boolean {
  if (error instanceof Unusable) return true;
  return error instanceof Error && 'errcode' in error && UNUSABLE.includes(Number(error.errcode) & 0xff);
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // secure_delete: what retention deletes is overwritten in the file, too.
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON');
    database.exec('PRAGMA journal_size_limit = 16777216');
    const version = Number(database.prepare('PRAGMA user_version').get()!['user_version']);
    const isNew = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'] === 0;
    if (isNew) database.exec(SCHEMA);
    else if (version !== VERSION) throw new Unusable(`Version ${version} of the index, ${VERSION} is needed`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const SCHEMA = `
  BEGIN;
  CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    team TEXT NOT NULL,
    tier INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    last_id TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (team, last)
  ) STRICT;
  CREATE TABLE segment_blob (key INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  PRAGMA user_version = ${VERSION};
  COMMIT;
`;

function prepare(database: DatabaseSync) {
  const row = 'id, tier, bytes, first, last, last_id AS lastId, checksum';
  return {
    greatest: database.prepare('SELECT max(id) AS id FROM segment'),
    list: database.prepare(`SELECT ${row} FROM segment WHERE team = ? AND last >= ? AND first <= ? ORDER BY last`),
    newest: database.prepare(`SELECT ${row} FROM segment WHERE team = ? ORDER BY last DESC LIMIT ?`),
    blob: database.prepare('SELECT checksum, body FROM segment_blob WHERE key = ?'),
    teams: database.prepare('SELECT DISTINCT team FROM segment'),
    insert: database.prepare('INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    insertBlob: database.prepare('INSERT INTO segment_blob VALUES (?, ?, ?)'),
    drop: database.prepare('DELETE FROM segment WHERE id = ?'),
    dropBlobs: database.prepare('DELETE FROM segment_blob WHERE key >= ? AND key < ?'),
  };
}
