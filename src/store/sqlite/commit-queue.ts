import { StorageDamaged, StoreUnavailable } from '../event-log.ts';
import type { Growth } from '../store.ts';
import { type Connection, isDiskFull, isStorageError } from './connection.ts';
import type { DiskReserve } from './disk-reserve.ts';
import type { LogWriter } from './log-writer.ts';
import { Turns, type WaitingWork } from './turns.ts';

/** What the service itself writes: it appends little. */
const OUR_OWN: WaitingWork = { sender: '', length: 0 };

/** What work runs on: both belong to one connection, and go with it. */
export interface Session {
  readonly connection: Connection;
  readonly log: LogWriter;
}

interface Item extends WaitingWork {
  /**
   * `grow` is refused while the disk is full, `change` may use the reserve; so may `progress`, which nobody waits for:
   * it waits a little for something else to be committed with.
   */
  readonly kind: 'grow' | 'change' | 'progress';
  /** Does the work inside the transaction; what it returns is called after the commit. */
  readonly run: (session: Session) => () => void;
  readonly fail: (error: unknown) => void;
}

export interface CommitQueueOptions {
  readonly connect: () => Connection;
  readonly openLog: (connection: Connection) => LogWriter;
  readonly reserve: Pick<DiskReserve, 'hasRoom' | 'release'>;
  readonly onGrown: (grown: readonly Growth[]) => void;
  /** Milliseconds since the last commit that progress waits for: what would be committed by itself is so at most so often. */
  readonly patienceMs: number;
  /** Milliseconds without a commit, after which the log's journal is emptied. */
  readonly idleMs: number;
  readonly logger?: StoreLogger;
}

export interface StoreLogger {
  error(data: object, message: string): void;
}

/**
 * The only writer. What waits at the same moment shares one transaction and one sync, as far as `Turns` puts it
 * together, and is answered after it; what arrives meanwhile is for the next ones. Work that throws fails alone: the
 * transaction is rolled back and done again without it. When the store itself fails, the whole group fails, and the next
 * one starts on a new connection that reads every counter back, since nobody knows how an interrupted commit ended.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #session: Session | undefined;
  readonly #waiting = new Turns<Item>();
  #isDue = false;
  /** Until progress has waited long enough. */
  #patience: NodeJS.Timeout | undefined;
  #committedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  #tidying: NodeJS.Timeout | undefined;
  /** Said once in the log, until a commit succeeds. */
  #isFailing = false;

  /** Throws when the store cannot be opened. */
  constructor(options: CommitQueueOptions) {
    this.#options = options;
    this.#session = this.#open();
  }

  /** The end of the log in memory; undefined while the store has failed. */
  get log(): LogWriter | undefined {
    return this.#session?.log;
  }

  /** Commits `work`, which is synchronous and may run more than once; rejects with what it throws, or StoreUnavailable. */
  commit<T>(kind: Item['kind'], work: (session: Session) => T, { sender, length }: WaitingWork = OUR_OWN): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new StoreUnavailable('storage_error', 'the store is closed'));
      const run = (session: Session): (() => void) => {
        const result = work(session);
        return () => resolve(result);
      };
      this.#waiting.add({ kind, sender, length, run, fail: reject });
      const waitMs = kind === 'progress' ? this.#committedAt + this.#options.patienceMs - performance.now() : 0;
      if (waitMs <= 0) this.#soon();
      else this.#patience ??= setTimeout(() => this.#soon(), waitMs);
    });
  }

  /** Commits what waits, then closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    clearTimeout(this.#tidying);
    // A failing disk may refuse it: the journal is read back at the next start.
    await this.commit('change', ({ log }) => log.empty()).catch(() => {});
    this.#closed = true;
    while (!this.#waiting.isEmpty) await new Promise((resolve) => setImmediate(resolve));
    this.#discard();
  }

  #soon(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    const group = this.#waiting.take();
    this.#isDue = false;
    if (!this.#waiting.isEmpty) this.#soon();
    if (group.length > 0) this.#commit(group);
  }

  #commit(group: readonly Item[]): void {
    let running: Item | undefined;
    let answers: (() => void)[];
    let grown: readonly Growth[];
    try {
      const isNew = this.#session === undefined;
      this.#session ??= this.#open();
      const session = this.#session;
      const admitted = this.#admit(group, session.connection);
      if (admitted.length === 0) return;
      session.connection.exec('BEGIN IMMEDIATE');
      answers = admitted.map((item) => {
        running = item;
        return item.run(session);
      });
      running = undefined;
      session.log.flush();
      session.connection.exec('COMMIT');
      grown = session.log.committed();
      // The commit that failed before may have become durable after all.
      if (isNew) grown = session.log.teams();
    } catch (error) {
      const culprit = running ?? (error instanceof StorageDamaged && group.length === 1 ? group[0] : undefined);
      if (culprit && !isStorageError(error)) this.#failOne(culprit, error, group);
      else if (error instanceof StorageDamaged) this.#commitEach(group);
      else this.#failAll(group, error);
      return;
    }
    this.#isFailing = false;
    this.#committedAt = performance.now();
    for (const answer of answers) answer();
    this.#options.onGrown(grown);
    this.#tidyLater();
  }

  /** What is in the journal only shall not stay there because nothing more comes. Once empty, it wakes nobody. */
  #tidyLater(): void {
    if (this.#closed || !this.log?.hasLoose) return;
    const tidy = (): void => void this.commit('change', ({ log }) => log.empty()).catch(() => {});
    this.#tidying ??= setTimeout(tidy, this.#options.idleMs).unref();
    this.#tidying.refresh();
  }

  /** Keeps appends out while the disk is full. */
  #admit(group: readonly Item[], connection: Connection): readonly Item[] {
    if (this.#options.reserve.hasRoom(() => reusableBytes(connection))) return group;
    const full = new StoreUnavailable('storage_full', 'the disk is full: no events are taken until there is room');
    for (const item of group) if (item.kind === 'grow') item.fail(full);
    return group.filter((item) => item.kind !== 'grow');
  }

  #failOne(item: Item, error: unknown, group: readonly Item[]): void {
    this.#rollBack();
    item.fail(error);
    this.#commit(group.filter((other) => other !== item));
  }

  /** Some of the work met a damaged page: only each on its own shows whose. */
  #commitEach(group: readonly Item[]): void {
    this.#rollBack();
    for (const item of group) this.#commit([item]);
  }

  #rollBack(): void {
    try {
      const { connection } = this.#session!;
      connection.exec('ROLLBACK');
      this.#session = { connection, log: this.#options.openLog(connection) };
    } catch {
      this.#discard();
    }
  }

  #failAll(group: readonly Item[], error: unknown): void {
    this.#discard();
    const isFull = isDiskFull(error);
    if (!this.#isFailing) this.#options.logger?.error({ err: error }, isFull ? 'the disk is full' : 'the store failed');
    this.#isFailing = true;
    // With the reserve given up, what does not grow the log gets a second chance.
    const again = isFull && this.#options.reserve.release() ? group.filter((item) => item.kind !== 'grow') : [];
    const unavailable = isFull
      ? new StoreUnavailable('storage_full', 'the disk is full', { cause: error })
      : new StoreUnavailable('storage_error', 'the store cannot write', { cause: error });
    for (const item of group) if (!again.includes(item)) item.fail(unavailable);
    if (again.length > 0) this.#commit(again);
  }

  #open(): Session {
    const connection = this.#options.connect();
    return { connection, log: this.#options.openLog(connection) };
  }

  /** Closing rolls back what was open. */
  #discard(): void {
    try {
      this.#session?.connection.close();
    } catch (error) {
      this.#options.logger?.error({ err: error }, 'closing the database failed');
    }
    this.#session = undefined;
  }
}

function reusableBytes(connection: Connection): number {
  const pages = connection.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
  const size = connection.get<{ page_size: number }>('PRAGMA page_size')?.page_size ?? 0;
  return pages * size;
}
