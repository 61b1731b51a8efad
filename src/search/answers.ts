import { setImmediate } from 'node:timers/promises';
import type { LRUCache } from 'lru-cache';
import type { LoggedEvent, Sequence, TeamId } from '../event/logged-event.ts';
import { PIECE_EVENTS, piecesOf } from './column.ts';
import { type LogReader, type Range, readRange } from './log-reader.ts';
import { compileQuery, conditionsOf } from './match.ts';
import type { EventQuery } from './search.ts';
import { decodeTimes, findConditions, keepMatches, markAll, type Times } from './segment.ts';
import type { SegmentFile, SegmentRow } from './segment-file.ts';

/** A piece of a team's log in which a query has been answered: of a segment, or events read from the log. */
export interface Answer {
  readonly kind: 'segment' | 'log';
  /** The place of the first mark. */
  readonly first: Sequence;
  /** One mark per event, 1 where it matches. A Buffer is searched for one thirty times faster than its like. */
  readonly marks: Buffer;
  /** The events' own times. */
  times(): Times;
  /** One per event, 1 for a failure that matches. */
  failures(): Uint8Array;
}

/** What queries are answered from. */
export interface Source {
  readonly file: SegmentFile;
  readonly log: LogReader;
  /** By segment, piece and query: the marks of all its events, for the next page of the same. */
  readonly marked: LRUCache<string, Buffer>;
}

/** Events are read from the log in pieces of this many where the index does not reach. */
const LOG_PIECE = 256;
/** After this many events in segments the thread is free for another query; one read from the log takes as long as some. */
const EVENTS_A_TURN = 32_768;
const WEIGHT = { segment: 1, log: 16 };

const NO_MARKS = Buffer.alloc(PIECE_EVENTS);
const FAILURE: EventQuery = { status: ['failure'] };
const FAILED = conditionsOf(FAILURE);
const isFailure = compileQuery(FAILURE);

/**
 * Answers a query piece by piece over a range of the team's log: from segments where there are some, from the log
 * elsewhere, so that an index that lags, or has a hole, changes the speed and never the result. Throws SegmentGone when
 * the segments change meanwhile; the caller begins again.
 */
export async function* answers(
  source: Source,
  team: TeamId,
  query: EventQuery,
  range: Range,
  order: 'asc' | 'desc',
): AsyncGenerator<Answer> {
  const inSegment = segmentAnswers(source, query, range, order);
  const matches = compileQuery(query);
  let looked = 0;
  for (const part of inOrder(partsOf(source.file.segments(team, range.low, range.high), range), order)) {
    const found =
      'id' in part ? inSegment(part) : [logAnswer(part.low, await readRange(source.log, team, part), matches)];
    for (const answer of found) {
      yield answer;
      looked += answer.marks.length * WEIGHT[answer.kind];
      if (looked < EVENTS_A_TURN) continue;
      await setImmediate();
      looked = 0;
    }
  }
}

function inOrder<T>(items: T[], order: 'asc' | 'desc'): T[] {
  return order === 'asc' ? items : items.reverse();
}

/** The range as segments and, between and after them, pieces of the log; oldest first. */
function partsOf(segments: readonly SegmentRow[], range: Range): (SegmentRow | Range)[] {
  const parts: (SegmentRow | Range)[] = [];
  let next = range.low;
  const readUntil = (end: Sequence): void => {
    for (; next < end; next += LOG_PIECE) parts.push({ low: next, high: Math.min(next + LOG_PIECE, end) - 1 });
  };
  for (const segment of segments) {
    readUntil(segment.first);
    parts.push(segment);
    next = segment.last + 1;
  }
  readUntil(range.high + 1);
  return parts;
}

function segmentAnswers(
  { file, marked }: Pick<Source, 'file' | 'marked'>,
  query: EventQuery,
  range: Range,
  order: 'asc' | 'desc',
): (segment: SegmentRow) => Generator<Answer> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  const conditions = conditionsOf(query);
  const name = JSON.stringify(query);
  return function* (segment) {
    const columns = file.columns(segment);
    const wanted = once(() => findConditions(conditions, columns));
    const failed = once(() => findConditions(FAILED, columns));
    const periods = once(() => file.periods(segment));
    const marksOf = (piece: number, events: number, times: () => Times): Buffer => {
      const [earliest = 0, latest = 0] = periods().subarray(2 * piece);
      if (latest < from || earliest >= to) return NO_MARKS.subarray(0, events);
      const key = `${segment.id} ${piece} ${name}`;
      const known = marked.get(key);
      if (known) return known;
      if (wanted().some((found) => found.length === 0)) return NO_MARKS.subarray(0, events);
      const marks = markAll(events);
      // The period first: with events in order of time it leaves few to be looked at.
      if (earliest < from || latest >= to) markPeriod(marks, times(), from, to);
      keepMatches(marks, piece, wanted(), columns);
      marked.set(key, marks);
      return marks;
    };
    for (const { piece, begin, end } of inOrder(piecesOf(segment.last - segment.first + 1), order)) {
      const first = segment.first + begin;
      const events = end - begin;
      const low = Math.max(0, range.low - first);
      const high = Math.min(events, range.high - first + 1);
      if (low >= high) continue;
      const times = once(() => decodeTimes(file.times(segment, piece), events, periods()[2 * piece]!));
      const marks = marksOf(piece, events, times);
      yield {
        kind: 'segment',
        first: first + low,
        marks: marks.subarray(low, high),
        times: () => ({ base: times().base, values: times().values.subarray(low, high) }),
        failures: () => {
          const failures = markAll(events);
          failures.set(marks);
          keepMatches(failures, piece, failed(), columns);
          return failures.subarray(low, high);
        },
      };
    }
  };
}

function logAnswer(low: Sequence, events: readonly LoggedEvent[], matches: (event: LoggedEvent) => boolean): Answer {
  return {
    kind: 'log',
    first: events[0]?.sequence ?? low,
    marks: Buffer.from(events.map((event) => Number(matches(event)))),
    times: () => ({ base: 0, values: Float64Array.from(events, ({ timestamp }) => timestamp) }),
    failures: () => Uint8Array.from(events, (event) => Number(isFailure(event))),
  };
}

function markPeriod(marks: Uint8Array, { base, values }: Times, from: number, to: number): void {
  for (let i = 0; i < marks.length; i++) {
    const at = base + values[i]!;
    marks[i] = Number(at >= from && at < to);
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
