import { accessSync, constants } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { StorageDamaged } from '../event-log.ts';

/** The file cannot be used as it is and trying again will not help; the message says what to do. */
export class UnusableDatabase extends Error {}

/** How long a statement waits for another connection's lock (a backup, a checkpoint). Milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;
/** The writer's page cache: beyond it the system's cache has them, which costs random ids nothing that could be measured. */
const CACHE_KIB = 8 * 1024;
const WAL_KEPT_BYTES = 64 * 1024 * 1024;

/**
 * One connection to `trailproof.db`: WAL, and every commit synced. Statements are prepared once per SQL text, so SQL
 * stands where it is used. Rows are typed by the caller: this is the edge at which the database is trusted.
 */
export class Connection {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Without `checkpointPages`, after how many pages in the WAL a checkpoint is due, it is read only. */
  constructor(path: string, checkpointPages?: number) {
    const readOnly = checkpointPages === undefined;
    this.#path = path;
    this.#database = readOnly
      ? new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS })
      : openToWrite(path, BUSY_TIMEOUT_MS);
    try {
      // A damaged page is noticed when it is read, rather than by what its cells seem to say.
      this.exec('PRAGMA cell_size_check = ON');
      // A reader's first statement sets up its view of the WAL: at once, not when the disk may be failing.
      if (readOnly) this.exec('PRAGMA user_version');
      else
        this.exec(`
          PRAGMA cache_size = -${CACHE_KIB};
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA wal_autocheckpoint = ${checkpointPages};
          PRAGMA journal_size_limit = ${WAL_KEPT_BYTES};`);
    } catch (error) {
      this.close();
      const unwritable = readOnly ? undefined : asUnwritable(path, error);
      if (unwritable) throw unwritable;
      if (!(error instanceof StorageDamaged) || primaryCode(error.cause) !== NOT_A_DATABASE) throw error;
      throw new UnusableDatabase(
        `${path} is not a SQLite database: restore it from a backup, or move it away to start with an empty one`,
        { cause: error },
      );
    }
  }

  exec(sql: string): void {
    this.#sound(() => this.#database.exec(sql));
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#sound(() => this.#prepared(sql).get(...values) as Row | undefined);
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#sound(() => this.#prepared(sql).all(...values) as Row[]);
  }

  /** One statement, so one snapshot, however long the caller takes; not to be nested with the same SQL. */
  *iterate<Row>(sql: string, ...values: SQLInputValue[]): Generator<Row> {
    const rows = this.#sound(() => this.#prepared(sql).iterate(...values) as Iterator<Row>);
    try {
      for (let row = this.#sound(() => rows.next()); !row.done; row = this.#sound(() => rows.next())) yield row.value;
    } finally {
      rows.return?.();
    }
  }

  /** Everything `work` reads is of one moment. `work` reads only, and reads all it wants at once. */
  inSnapshot<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.exec('BEGIN');
    try {
      return work();
    } finally {
      if (this.#database.isTransaction) this.exec('COMMIT');
    }
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#sound(() => Number(this.#prepared(sql).run(...values).changes));
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** What SQLite finds malformed, and numbers that none of ours can be, are damage to the file. */
  #sound<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asDamage(this.#path, error) ?? error;
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

// Result codes: https://sqlite.org/rescode.html
const BUSY = 5;
const ERROR = 1;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;
const SCHEMA_DAMAGED = /^(unsupported file format|no such (table|column|index)|malformed|table .* has \d+ columns)/;
/** ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE: the statement or its values are wrong, the store is well. */
const STATEMENT_CODES = [1, 18, 19, 20, 21, 25];

/** Whether another connection holds a lock that was needed. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

/** Whether the error says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return primaryCode(error) === FULL;
}

/** Whether the error speaks of the file, the disk or a lock, rather than of one statement. */
export function isStorageError(error: unknown): boolean {
  const code = primaryCode(error);
  return code !== undefined && !STATEMENT_CODES.includes(code);
}

/** Throws UnusableDatabase when this user cannot write the file, or make it. */
export function openToWrite(path: string, timeout: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout });
    // SQLite opens what it may not write for reading: a lock on that is none, and a service could store nothing.
    if (database.location() !== null) accessSync(path, constants.W_OK);
    return database;
  } catch (error) {
    database?.close();
    throw asUnwritable(path, error) ?? error;
  }
}

/** That a file may not be written, in words; undefined for any other error. */
export function asUnwritable(path: string, error: unknown): UnusableDatabase | undefined {
  const isRefused =
    error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code));
  if (!isRefused && primaryCode(error) !== READONLY && primaryCode(error) !== CANNOT_OPEN) return undefined;
  return new UnusableDatabase(
    `${path} cannot be written (${error instanceof Error ? error.message : error}): its owner must be the user that runs Trailproof, it and its folder writable for them, and the disk not mounted read-only`,
    { cause: error },
  );
}

/** What SQLite said of damage to a file, as our own error; undefined for any other error. */
export function asDamage(path: string, error: unknown): StorageDamaged | undefined {
  if (!(error instanceof Error && isDamage(error))) return undefined;
  return new StorageDamaged(`${path} is damaged (${error.message})`, { cause: error });
}

function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  if (code === CORRUPT || code === NOT_A_DATABASE) return true;
  // Our statements fit our tables: where one does not, the schema in the file is not ours any more.
  if (code === ERROR && error instanceof Error && SCHEMA_DAMAGED.test(error.message)) return true;
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined;
  return error.errcode & 0xff;
}
