import { PackedEvents } from '../../event/packed-events.ts';
import type { EventLog } from '../event-log.ts';
import type { Growth } from '../store.ts';
import { createTailSignal } from '../tail-signal.ts';
import type { CommitQueue } from './commit-queue.ts';
import { type LogReader, upTo } from './log-reader.ts';

/** Rows a retention transaction deletes at most: appends run between two of them. */
const ROWS_PER_DELETE = 32;

/** The event log on the commit queue; readers that keep up are served from its memory, the others by `reader`. */
export class SqliteEventLog implements EventLog {
  readonly #queue: CommitQueue;
  readonly #reader: LogReader;
  readonly #now: () => number;
  readonly #tail = createTailSignal();

  constructor(queue: CommitQueue, reader: LogReader, now: () => number) {
    this.#queue = queue;
    this.#reader = reader;
    this.#now = now;
  }

  append: EventLog['append'] = async (events) => {
    if (events.length === 0) return [];
    const packed = PackedEvents.of(events);
    const work = { sender: packed.firstTeam, length: packed.bytes };
    return this.#queue.commit('grow', ({ log }) => log.append(packed), work);
  };

  read: EventLog['read'] = async (team, after, limit) => {
    const { log } = this.#queue;
    const recent = log?.recent(team, after);
    return recent ? upTo(limit, recent) : this.#reader.read(team, after, limit, log?.recent.bind(log));
  };

  waitForMore: EventLog['waitForMore'] = async (team, after, signal) => {
    if ((await this.bounds(team)).last <= after) await this.#tail.waitForMore(team, after, signal);
  };

  find: EventLog['find'] = async (team, id) => this.#reader.find(team, id);
  bounds: EventLog['bounds'] = async (team) => this.#queue.log?.bounds(team) ?? this.#reader.bounds(team);
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
    this.#tail.close();
  };

  /** Wakes those who wait for what was just committed. */
  grown(grown: readonly Growth[]): void {
    for (const { team, last } of grown) this.#tail.note(team, last);
  }
}
