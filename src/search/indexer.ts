import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Sequence, TeamId } from '../event/logged-event.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogReader } from './log-reader.ts';
import { SEGMENT_EVENTS, type Segment, SegmentBuilder } from './segment.ts';
import { type SegmentFile, SegmentGone } from './segment-file.ts';

/** Between two steps of this many events the thread is free for queries. */
const STEP = { events: 512, bytes: 4 * 1024 * 1024 };
/** So many segments of one tier become one of the next: 65,536 events, then 1,048,576. */
const JOINED_SEGMENTS = 16;
const MOST_TIERS = 2;
/** Of the segments together: what is joined is held in memory a column at a time. */
const JOINED_BYTES = 128 * 1024 * 1024;
const TRIM_EVERY_MS = 10 * 60_000;
const AFTER_ERROR_MS = 5_000;

/**
 * Keeps the segments of every team in step with its log: each full segment's worth of events becomes one, many small ones
 * become a large one, so that a search of millions of events reads few distinct values and not all, and what retention
 * deleted from the log leaves the index within ten minutes. The cursor of a team is the end of its newest segment, written
 * with it.
 */
export function createIndexer(options: {
  file: SegmentFile;
  log: LogReader;
  clock: Clock;
  logger?: Logger | undefined;
}): {
  start(): void;
  /** The team has events up to `last`. */
  wake(team: TeamId, last: Sequence): void;
  /** Events up to here are in segments; 0 when none is. Drops an index that is not of this log. */
  indexedThrough(team: TeamId): Promise<Sequence>;
  /** Events in full segments' worths that wait to be indexed, over all teams. */
  lag(): Promise<number>;
  /** The index file was made anew. */
  restart(): void;
  stop(): Promise<void>;
} {
  const { file, log, clock, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  /** Teams that may have a segment's worth; the ends of teams' logs as last heard; the ends of their indexes. */
  const due = new Set<TeamId>();
  const ends = new Map<TeamId, Sequence>();
  const indexed = new Map<TeamId, Sequence>();
  const builder = new SegmentBuilder();
  let running: Promise<unknown> | undefined;
  let wakeUp = (): void => {};

  const wake = (team: TeamId, last: Sequence): void => {
    ends.set(team, last);
    if (last - (indexed.get(team) ?? 0) < SEGMENT_EVENTS) return;
    due.add(team);
    wakeUp();
  };

  /** An index can be of another log when a backup of either was put back: then its last event differs. */
  const indexedThrough = async (team: TeamId): Promise<Sequence> => {
    const [newest] = file.newest(team, 1);
    if (newest && !indexed.has(team)) {
      const [event] = await log.read(team, newest.last - 1, { events: 1, bytes: 1 });
      const { last } = await log.bounds(team);
      if (newest.last > last || (event?.sequence === newest.last && event.id !== newest.lastId)) {
        logger?.warn({ team }, 'The search index is of another log and is built anew');
        file.drop(file.segments(team, 0, newest.last));
        return 0;
      }
    }
    indexed.set(team, newest?.last ?? 0);
    return newest?.last ?? 0;
  };

  /** A segment of the events after `after`; undefined when not all are there. */
  const build = async (team: TeamId, after: Sequence): Promise<Segment | undefined> => {
    builder.clear();
    let at = after;
    while (!builder.isFull()) {
      const events = await log.read(team, at, { ...STEP, events: Math.min(STEP.events, after + SEGMENT_EVENTS - at) });
      if (events[0]?.sequence !== at + 1 || signal.aborted) return undefined;
      for (const event of events) {
        if (builder.isFull()) break;
        builder.add(event);
        at = event.sequence;
      }
      await setImmediate();
    }
    return builder.finish();
  };

  /** One segment of the team, when it has one's worth. */
  const index = async (team: TeamId): Promise<boolean> => {
    const through = await indexedThrough(team);
    const { first, last } = await log.bounds(team);
    const after = Math.max(through, first - 1);
    if (last - after < SEGMENT_EVENTS) return false;
    const segment = await build(team, after);
    if (!segment) return false;
    file.insert(team, segment);
    indexed.set(team, segment.last);
    while (await join(team));
    return true;
  };

  /** Makes one of the team's last segments when there are enough of one tier. */
  const join = async (team: TeamId): Promise<boolean> => {
    const parts = file.newest(team, JOINED_SEGMENTS);
    if (parts.length < JOINED_SEGMENTS || signal.aborted) return false;
    const { first, tier } = parts[0]!;
    const isOne =
      tier < MOST_TIERS &&
      parts.every((part, i) => part.tier === tier && part.first === (parts[i - 1]?.last ?? first - 1) + 1) &&
      parts.reduce((sum, { bytes }) => sum + bytes, 0) <= JOINED_BYTES;
    if (!isOne) return false;
    await file.join(team, parts, { first, tier: tier + 1 });
    return true;
  };

  /** Drops segments older than the log, and what the log no longer has from the one of which it has the rest. */
  const trim = async (team: TeamId): Promise<void> => {
    const { first, last } = await log.bounds(team);
    const [newest] = file.newest(team, 1);
    if (!newest) return;
    const start = last === 0 ? newest.last + 1 : first;
    const old = file.segments(team, 0, start - 1);
    if (old.length === 0) return;
    const rest = old.filter((segment) => segment.last >= start);
    file.drop(old.filter((segment) => segment.last < start));
    if (rest.length > 0) await file.join(team, rest, { first: start, tier: rest[0]!.tier });
  };

  /** What a crash came before is joined here. */
  const tidy = async (team: TeamId): Promise<void> => {
    await trim(team);
    while (await join(team));
  };

  /** Segments are changed by one at a time. */
  let change: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T | undefined> => {
    const done = change.then(() => guarded(work));
    change = done;
    return done;
  };

  const indexing = async (): Promise<void> => {
    while (!signal.aborted) {
      const [team] = due;
      if (team === undefined) {
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        continue;
      }
      due.delete(team);
      if (await alone(() => index(team))) due.add(team);
    }
  };

  const trimming = async (): Promise<void> => {
    while (!signal.aborted) {
      await guarded(async () => {
        for (const { team, last } of await log.teams()) wake(team, last);
        for (const team of file.teams()) if (!signal.aborted) await alone(() => tidy(team));
      });
      await clock.sleep(TRIM_EVERY_MS, signal);
    }
  };

  /** A log that cannot be read now, or a new index file, must not end the loop: the next round tries again. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || error instanceof SegmentGone) return undefined;
      logger?.error({ err: error }, 'Indexing failed and is tried again');
      await clock.sleep(AFTER_ERROR_MS, signal);
      return undefined;
    }
  };

  return {
    start: () => {
      running ??= Promise.all([indexing(), trimming()]);
    },
    wake,
    indexedThrough,
    async lag() {
      let events = 0;
      for (const { team, last } of await log.teams()) {
        if (last < SEGMENT_EVENTS) continue;
        const { first } = await log.bounds(team);
        const waiting = last - Math.max(file.newest(team, 1)[0]?.last ?? 0, first - 1);
        events += waiting - (waiting % SEGMENT_EVENTS);
      }
      return events;
    },
    restart: () => {
      indexed.clear();
      for (const [team, last] of ends) wake(team, last);
    },
    async stop() {
      stopping.abort();
      wakeUp();
      await running;
    },
  };
}
