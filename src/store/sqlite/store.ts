import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import type { Sequence, TeamId } from '../../event/logged-event.ts';
import type { EventLog } from '../event-log.ts';
import type { AppendListener, Store } from '../store.ts';
import { alertStore } from './alerts.ts';
import { apiKeyStore } from './api-keys.ts';
import { CommitQueue, type StoreLogger } from './commit-queue.ts';
import { asUnwritable, Connection, isDiskFull } from './connection.ts';
import { destinationStore } from './destinations.ts';
import { DiskReserve } from './disk-reserve.ts';
import { SqliteEventLog } from './event-log.ts';
import { LogReader } from './log-reader.ts';
import { JOURNAL_MS, LogWriter } from './log-writer.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { peopleStore } from './people.ts';
import { examineTeams } from './team-directory.ts';
import { teamStore } from './teams.ts';

/** Newest events kept in memory over all teams, in bytes: readers that keep up do not touch the disk. */
const TAIL_BYTES = 24 * 1024 * 1024;
const BLOCK_BYTES = 1024 * 1024;
/** Progress of thousands of lanes, each after a batch of its own, would else be a commit and a sync each. */
const PATIENCE_MS = 5;
/** SQLite's default. */
const PAGE_BYTES = 4_096;
/** 16 MiB: four times SQLite's default, since each checkpoint syncs twice. */
const CHECKPOINT_PAGES = 4_000;

export interface SqliteStoreOptions {
  /** Holds `trailproof.db` and `reserve`; it exists, and `lockFolder` holds it. */
  readonly folder: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Retention of teams that come into being with their first event. */
  readonly defaultRetentionDays: number;
  /** How long progress waits for something to be committed with; 5 unless given. 0: not at all, where time stands still. */
  readonly patienceMs?: number;
  readonly logger?: StoreLogger;
}

export interface SqliteStore extends Store {
  /** Calls `listener` after each commit that appended. Returns how to stop it. */
  onAppended(listener: AppendListener): () => void;
}

/**
 * Opens the store, the only writer of `trailproof.db`. Throws UnusableDatabase when the file is none of ours or was
 * written by a newer version.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { folder, clock, defaultRetentionDays } = options;
  const path = join(folder, DATABASE);
  const listeners = new Set<AppendListener>();
  const reserve = new DiskReserve(join(folder, 'reserve'), clock);
  // A checkpoint may enlarge the database by all that the WAL holds. On a full disk that comes out of the reserve, and
  // only a finished checkpoint lets the WAL's own space be used again: so the WAL is half the reserve at most.
  const checkpointPages = Math.min(CHECKPOINT_PAGES, Math.floor(reserve.bytes / 2 / PAGE_BYTES));
  const queue = new CommitQueue({
    connect: () => connectWriter(path, checkpointPages),
    openLog: (connection) =>
      new LogWriter(connection, clock, {
        defaultRetentionDays,
        tailBytes: TAIL_BYTES,
        reread: (team, sequence) => reader.reread(team, sequence),
      }),
    reserve,
    patienceMs: options.patienceMs ?? PATIENCE_MS,
    idleMs: JOURNAL_MS,
    onGrown: (grown) => {
      log.grown(grown);
      if (grown.length > 0) for (const listener of listeners) listener(grown);
    },
    ...(options.logger && { logger: options.logger }),
  });
  const read = new Connection(path);
  const reader = new LogReader(read);
  const log = new SqliteEventLog(queue, reader, () => clock.now());
  return {
    log,
    teams: teamStore(queue, read),
    keys: apiKeyStore(queue, read),
    people: peopleStore(queue, read),
    alerts: alertStore(queue, read),
    destinations: destinationStore(queue, read),
    onAppended: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      // The writer closes last: only it can move the write-ahead log into the database and remove it.
      await queue.commit('change', () => undefined).catch(() => undefined);
      read.close();
      await log.close();
    },
  };
}

/** What another thread reads of the log; it sees a commit as soon as the store has answered it. */
export interface SqliteLogReader
  extends Pick<EventLog, 'read' | 'bounds' | 'find' | 'vocabulary' | 'firstReceivedSince'> {
  teams(): Promise<readonly { readonly team: TeamId; readonly last: Sequence }[]>;
  close(): void;
}

/** Opens a read-only connection of its own to a folder whose store is open. */
export function openSqliteLogReader(options: { readonly folder: string }): SqliteLogReader {
  const connection = new Connection(join(options.folder, DATABASE));
  const reader = new LogReader(connection);
  return {
    read: async (team, after, limit) => reader.read(team, after, limit),
    bounds: async (team) => reader.bounds(team),
    find: async (team, id) => reader.find(team, id),
    vocabulary: async (team) => reader.vocabulary(team),
    firstReceivedSince: async (team, at) => reader.firstReceivedSince(team, at),
    teams: async () => reader.teams(),
    close: () => connection.close(),
  };
}

const DATABASE = 'trailproof.db';

function connectWriter(path: string, checkpointPages: number): Connection {
  const connection = new Connection(path, checkpointPages);
  try {
    migrate(connection);
    mustBeWritable(connection, path);
    examineTeams(connection);
    checkpoint(connection, path);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Writes, and takes it back: SQLite opens what it may not write without a word. */
function mustBeWritable(connection: Connection, path: string): void {
  try {
    connection.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${MIGRATIONS.length}; ROLLBACK`);
  } catch (error) {
    throw asUnwritable(path, error) ?? error;
  }
}

/**
 * Moves the write-ahead log into the database. After a failed sync its pages may be in memory only: this writes and
 * syncs them again, so that no later commit rests on one that never reached the disk. A full disk is no failed sync
 * and may have no room for it.
 */
function checkpoint(connection: Connection, path: string): void {
  try {
    const result = connection.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)');
    // Somebody reads an older state, a backup say, and may do so for long: the pages stay where they are.
    if (result?.busy) writeAgain(`${path}-wal`);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** Writes what the file holds over itself and syncs it. */
function writeAgain(path: string): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  const file = openSync(path, 'r+');
  try {
    for (let at = 0, read = 1; read > 0; at += read) {
      read = readSync(file, block, 0, block.length, at);
      if (read > 0) writeSync(file, block, 0, read, at);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
