import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Sequence, TeamId } from '../event/logged-event.ts';
import type { Logger } from '../telemetry/logger.ts';
import { answers, type Source } from './answers.ts';
import { createIndexer } from './indexer.ts';
import { type LogReader, readPage } from './log-reader.ts';
import { BadQuery, type EventQuery, type Histogram, type Search, type SearchPage } from './search.ts';
import { SegmentFile, SegmentGone } from './segment-file.ts';

/** Search and the indexing behind it. Queries need no `start`: what is not indexed is read from the log. */
export interface OpenSearch extends Search {
  start(): void;
  /** A hint that the team has events up to `last`. */
  wake(team: TeamId, last: Sequence): void;
  close(): Promise<void>;
}

type Order = 'asc' | 'desc';

const MOST_EVENTS = 1000;
/**
 * A page that is not full after this much work (65,536 events read from the log, or 16 million in segments) ends with a
 * cursor all the same, so that a search during a rebuild is answered in time.
 */
const MOST_WORK = 16 * 1024 * 1024;
const WORK_OF = { segment: 1, log: 256 };
const MOST_TRIES = 5;
/** Kept of the answers given last: some large segments’. */
const MARKED_BYTES = 4 * 1024 * 1024;

/** Opens the index in `<folder>/index.db`; one that is missing, of another version or corrupt is built from the log. */
export function openSearch(options: {
  readonly folder: string;
  readonly log: LogReader;
  readonly clock: Clock;
  readonly logger?: Logger;
}): OpenSearch {
  const { folder, log, clock, logger } = options;
  const file = new SegmentFile(folder, () => indexer.restart(), logger);
  const indexer = createIndexer({ file, log, clock, logger });
  const marked = new LRUCache<string, Buffer>({ maxSize: MARKED_BYTES, sizeCalculation: (marks) => marks.length });
  const source: Source = { file, log, marked };

  const boundsThrough = async (team: TeamId, through: Sequence): Promise<{ first: Sequence; last: Sequence }> => {
    const { first, last } = await log.bounds(team);
    return { first, last: Math.min(last, through) };
  };

  const search = async (
    team: TeamId,
    query: EventQuery,
    { order, limit, after, through }: { order: Order; limit: number; after: Sequence | undefined; through: Sequence },
  ): Promise<SearchPage> => {
    const { first, last } = await boundsThrough(team, through);
    const range =
      order === 'asc'
        ? { low: Math.max(first, (after ?? 0) + 1), high: last }
        : { low: Math.max(first, 1), high: Math.min(last, (after ?? Number.POSITIVE_INFINITY) - 1) };
    const found: Sequence[] = [];
    let work = 0;
    let end: Sequence | undefined;
    for await (const answer of answers(source, team, query, range, order)) {
      collect(answer.marks, answer.first, order, found, limit + 1);
      if (found.length > limit) {
        found.pop();
        end = found.at(-1);
        break;
      }
      work += answer.marks.length * WORK_OF[answer.kind];
      if (work >= MOST_WORK) {
        end = order === 'asc' ? answer.first + answer.marks.length - 1 : answer.first;
        break;
      }
    }
    const { events, looked } = await readPage(log, team, found);
    if (looked < found.length) end = found[looked - 1];
    return { events, nextCursor: end === undefined ? null : formatCursor(order, end) };
  };

  const histogram = async (
    team: TeamId,
    query: EventQuery,
    bucketMs: number,
    through: Sequence,
  ): Promise<Histogram> => {
    const { first, last } = await boundsThrough(team, through);
    const buckets = new Map<number, { at: number; success: number; failure: number }>();
    const total = { success: 0, failure: 0 };
    for await (const answer of answers(source, team, query, { low: Math.max(first, 1), high: last }, 'asc')) {
      let bucket = { at: Number.NaN, success: 0, failure: 0 };
      const { marks } = answer;
      if (!marks.includes(1)) continue;
      const { base, values } = answer.times();
      const failures = answer.failures();
      for (let i = 0; i < marks.length; i++) {
        if (marks[i] === 0) continue;
        const at = Math.floor((base + values[i]!) / bucketMs) * bucketMs;
        if (at !== bucket.at) {
          bucket = buckets.get(at) ?? { at, success: 0, failure: 0 };
          buckets.set(at, bucket);
        }
        const status = failures[i] === 1 ? 'failure' : 'success';
        bucket[status]++;
        total[status]++;
      }
    }
    return { buckets: [...buckets.values()].sort((a, b) => a.at - b.at), ...total };
  };

  /** Begins again when the segments changed under the query. */
  const whole = async <T>(team: TeamId, query: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        await indexer.indexedThrough(team);
        return await query();
      } catch (error) {
        if (!(error instanceof SegmentGone) || tries === MOST_TRIES) throw error;
      }
    }
  };

  return {
    search: async (team, query, { order, limit, cursor, through = Number.POSITIVE_INFINITY }) => {
      const after = cursor === undefined ? undefined : parseCursor(order, cursor);
      const page = { order, limit: Math.min(Math.max(Math.trunc(limit), 1), MOST_EVENTS), after, through };
      return await whole(team, () => search(team, query, page));
    },
    histogram: async (team, query, bucketMs, through = Number.POSITIVE_INFINITY) => {
      if (!(bucketMs >= 1)) throw new BadQuery('bucketMs', 'A bucket is at least 1 ms long');
      return await whole(team, () => histogram(team, query, bucketMs, through));
    },
    lag: () => indexer.lag(),
    start: () => indexer.start(),
    wake: (team, last) => indexer.wake(team, last),
    async close() {
      await indexer.stop();
      file.close();
    },
  };
}

/** Adds the marked sequences in order until there are `most`. */
function collect(marks: Buffer, first: Sequence, order: Order, found: Sequence[], most: number): void {
  const next = (i: number): number =>
    order === 'asc' ? marks.indexOf(1, i + 1) : i === 0 ? -1 : marks.lastIndexOf(1, i - 1);
  for (let i = next(order === 'asc' ? -1 : marks.length); i !== -1 && found.length < most; i = next(i))
    found.push(first + i);
}

/** A place in the log, so it stays valid whatever is appended or deleted. */
function formatCursor(order: Order, sequence: Sequence): string {
  return Buffer.from(`${order}.${sequence}`).toString('base64url');
}

function parseCursor(order: Order, cursor: string): Sequence {
  const [, of, sequence] =
    Buffer.from(cursor, 'base64url')
      .toString()
      .match(/^(asc|desc)\.(\d{1,15})$/) ?? [];
  if (of !== order || formatCursor(order, Number(sequence)) !== cursor)
    throw new BadQuery('cursor', 'Not a cursor of this search: begin again without one');
  return Number(sequence);
}
