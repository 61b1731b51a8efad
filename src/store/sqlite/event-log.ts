import type { NewEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import type { EventLog } from '../event-log.ts';
import type { CommitQueue, Growth } from './commit-queue.ts';
import { type LogReader, upTo } from './log-reader.ts';

/** Rows a retention transaction deletes at most: appends run between two of them. */
const ROWS_PER_DELETE = 32;

interface Waiter {
  readonly after: Sequence;
  readonly wake: () => void;
}

/** The event log on the commit queue; readers that keep up are served from its memory, the others by `reader`. */
export class SqliteEventLog implements EventLog {
  readonly #queue: CommitQueue;
  readonly #reader: LogReader;
  readonly #now: () => number;
  readonly #waiters = new Map<TeamId, Set<Waiter>>();

  constructor(queue: CommitQueue, reader: LogReader, now: () => number) {
    this.#queue = queue;
    this.#reader = reader;
    this.#now = now;
  }

  append: EventLog['append'] = async (events) =>
    events.length === 0 ? [] : this.#queue.commit('grow', ({ log }) => log.append(events), jsonLength(events));

  read: EventLog['read'] = async (team, after, limit) => {
    const recent = this.#queue.log?.recent(team, after);
    return recent ? upTo(limit, recent) : this.#reader.read(team, after, limit);
  };

  waitForMore: EventLog['waitForMore'] = (team, after, signal) =>
    new Promise((resolve) => {
      if (signal.aborted || this.#reader.bounds(team).last > after) return resolve();
      const waiters = this.#waiters.get(team) ?? new Set();
      this.#waiters.set(team, waiters);
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(team);
        resolve();
      };
      const waiter = { after, wake };
      waiters.add(waiter);
      signal.addEventListener('abort', wake, { once: true });
    });

  find: EventLog['find'] = async (team, id) => this.#reader.find(team, id);
  bounds: EventLog['bounds'] = async (team) => this.#reader.bounds(team);
  firstReceivedSince: EventLog['firstReceivedSince'] = async (team, at) => this.#reader.firstReceivedSince(team, at);
  vocabulary: EventLog['vocabulary'] = async (team) => this.#reader.vocabulary(team);

  deleteThrough: EventLog['deleteThrough'] = async (team, through) => {
    let total = 0;
    for (;;) {
      const deleted = await this.#queue.commit('change', ({ log }) => {
        let count = 0;
        for (let row = 0; row < ROWS_PER_DELETE; row++) count += log.deleteOldest(team, through);
        return count;
      });
      if (deleted === 0) return total;
      total += deleted;
    }
  };

  check: EventLog['check'] = () =>
    this.#queue.commit('grow', ({ connection }) => {
      connection.run(
        'INSERT INTO probe (id, at) VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at',
        this.#now(),
      );
    });

  /** Closes the whole queue: the log is its heart. */
  close: EventLog['close'] = async () => {
    await this.#queue.close();
    for (const waiters of this.#waiters.values()) for (const { wake } of waiters) wake();
  };

  /** Wakes those who wait for what was just committed. */
  grown(grown: readonly Growth[]): void {
    for (const { team, last } of grown)
      for (const waiter of this.#waiters.get(team) ?? []) if (last > waiter.after) waiter.wake();
  }
}

function jsonLength(events: readonly NewEvent[]): number {
  return events.reduce((sum, event) => sum + event.json.length, 0);
}
