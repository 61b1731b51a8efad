import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Sequence, TeamId } from '../event/logged-event.ts';
import type { Logger } from '../telemetry/logger.ts';
import { COLUMNS, type ColumnName, type Segment } from './segment.ts';

/** A segment without its columns. */
export interface SegmentRow extends Omit<Segment, 'columns'> {
  readonly id: number;
}

/** A segment that a query was about to read is gone (trimmed, or the file was made anew): the query begins again. */
export class SegmentGone extends Error {}

/** Raise it whenever what is stored or its meaning changes: the index is then built anew. */
const VERSION = 1;
/** Columns are rows under `segment * 32 + column`. */
const WIDTH = 32;
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

  /** `onNew`: the file had to be begun anew while in use. */
  constructor(folder: string, onNew: () => void, logger?: Logger) {
    this.#onNew = onNew;
    this.#path = join(folder, 'index.db');
    this.#logger = logger;
    try {
      this.#database = open(this.#path);
      this.#statements = prepare(this.#database);
      this.#nextId = 1 + Number(this.#statements.greatest.get()?.['id'] ?? 0);
    } catch (error) {
      if (!isUnusable(error)) throw error;
      [this.#database, this.#statements] = this.#begin(error);
    }
  }

  /** The team's segments that hold sequences from `low` to `high`, oldest first; none overlaps another. */
  segments(team: TeamId, low: Sequence, high: Sequence): readonly SegmentRow[] {
    return this.#run(() => this.#statements.list.all(team, low, high) as unknown as SegmentRow[]);
  }

  newest(team: TeamId): SegmentRow | undefined {
    return this.#run(() => this.#statements.newest.get(team) as unknown as SegmentRow | undefined);
  }

  /** Throws SegmentGone when the segment is no longer there. */
  column(segment: SegmentRow, name: ColumnName): Uint8Array {
    const key = segment.id * WIDTH + COLUMNS.indexOf(name);
    const row = this.#run(() => this.#statements.column.get(key));
    if (!row) throw new SegmentGone();
    return row['body'] as Uint8Array;
  }

  teams(): readonly TeamId[] {
    return this.#run(() => this.#statements.teams.all().map((row) => String(row['team'])));
  }

  /** Keeps the new segment and drops the old ones, in one transaction. */
  replace(team: TeamId, old: readonly SegmentRow[], segment?: Segment): void {
    this.#run(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        for (const { id } of old) {
          this.#statements.dropColumns.run(id * WIDTH, (id + 1) * WIDTH);
          this.#statements.drop.run(id);
        }
        if (segment) this.#insert(team, segment);
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): void {
    this.#database.close();
  }

  #insert(team: TeamId, { first, last, earliest, latest, lastId, columns }: Segment): void {
    const id = this.#nextId++;
    this.#statements.insert.run(id, team, first, last, earliest, latest, lastId);
    columns.forEach((body, i) => {
      this.#statements.insertColumn.run(id * WIDTH + i, body);
    });
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

class WrongVersion extends Error {}

function isUnusable(error: unknown): boolean {
  if (error instanceof WrongVersion) return true;
  return error instanceof Error && 'errcode' in error && UNUSABLE.includes(Number(error.errcode) & 0xff);
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // secure_delete: what retention deletes is overwritten in the file, too.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON');
    database.exec('PRAGMA journal_size_limit = 16777216');
    const version = Number(database.prepare('PRAGMA user_version').get()!['user_version']);
    const isNew = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'] === 0;
    if (isNew) database.exec(SCHEMA);
    else if (version !== VERSION) throw new WrongVersion(`Version ${version} of the index, ${VERSION} is needed`);
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
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    earliest INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    last_id TEXT NOT NULL,
    UNIQUE (team, last)
  ) STRICT;
  CREATE TABLE segment_column (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  PRAGMA user_version = ${VERSION};
  COMMIT;
`;

function prepare(database: DatabaseSync) {
  const row = 'id, first, last, earliest, latest, last_id AS lastId';
  return {
    greatest: database.prepare('SELECT max(id) AS id FROM segment'),
    list: database.prepare(`SELECT ${row} FROM segment WHERE team = ? AND last >= ? AND first <= ? ORDER BY last`),
    newest: database.prepare(`SELECT ${row} FROM segment WHERE team = ? ORDER BY last DESC LIMIT 1`),
    column: database.prepare('SELECT body FROM segment_column WHERE key = ?'),
    teams: database.prepare('SELECT DISTINCT team FROM segment'),
    insert: database.prepare('INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)'),
    insertColumn: database.prepare('INSERT INTO segment_column VALUES (?, ?)'),
    drop: database.prepare('DELETE FROM segment WHERE id = ?'),
    dropColumns: database.prepare('DELETE FROM segment_column WHERE key >= ? AND key < ?'),
  };
}
