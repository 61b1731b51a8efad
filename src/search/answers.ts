import { setImmediate } from 'node:timers/promises';
import type { LRUCache } from 'lru-cache';
import type { LoggedEvent, Sequence, TeamId } from '../event/logged-event.ts';
import { type LogReader, type Range, readRange } from './log-reader.ts';
import { compileQuery, conditionsOf } from './match.ts';
import type { EventQuery } from './search.ts';
import { decodeTimes, keepMatches, markAll, type Times } from './segment.ts';
import type { SegmentFile, SegmentRow } from './segment-file.ts';

/** A piece of a team's log in which a query has been answered: a segment, or events read from the log. */
export interface Answer {
  readonly kind: 'segment' | 'log';
  /** The place of the first mark. */
  readonly first: Sequence;
  /** One mark per event, 1 where it matches. */
  readonly marks: Uint8Array;
  /** The events' own times. */
  times(): Times;
  /** One per event, 1 for a failure that matches. */
  failures(): Uint8Array;
}

/** What queries are answered from. */
export interface Source {
  readonly file: SegmentFile;
  readonly log: LogReader;
  /** By segment and query: the marks of all its events, for the next page of the same. */
  readonly marked: LRUCache<string, Uint8Array>;
}

/** Events are read from the log in pieces of this many where the index does not reach. */
const LOG_PIECE = 256;
/** After this many events in segments the thread is free for another query; one read from the log takes as long as some. */
const EVENTS_A_TURN = 32_768;
const LOG_WEIGHT = 16;

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
  const pieces = piecesOf(source.file.segments(team, range.low, range.high), range);
  const fromSegment = segmentAnswers(source, query, range);
  const matches = compileQuery(query);
  let looked = 0;
  for (const piece of order === 'asc' ? pieces : pieces.reverse()) {
    if (looked >= EVENTS_A_TURN) {
      await setImmediate();
      looked = 0;
    }
    looked += 'id' in piece ? piece.last - piece.first + 1 : LOG_PIECE * LOG_WEIGHT;
    if ('id' in piece) yield fromSegment(piece);
    else yield logAnswer(piece.low, await readRange(source.log, team, piece), matches);
  }
}

/** The range as segments and, between and after them, pieces of the log; oldest first. */
function piecesOf(segments: readonly SegmentRow[], range: Range): (SegmentRow | Range)[] {
  const pieces: (SegmentRow | Range)[] = [];
  let next = range.low;
  const readUntil = (end: Sequence): void => {
    for (; next < end; next += LOG_PIECE) pieces.push({ low: next, high: Math.min(next + LOG_PIECE, end) - 1 });
  };
  for (const segment of segments) {
    readUntil(segment.first);
    pieces.push(segment);
    next = segment.last + 1;
  }
  readUntil(range.high + 1);
  return pieces;
}

function segmentAnswers(
  { file, marked }: Pick<Source, 'file' | 'marked'>,
  query: EventQuery,
  range: Range,
): (segment: SegmentRow) => Answer {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  const conditions = conditionsOf(query);
  const name = JSON.stringify(query);
  return (segment) => {
    const { id, first, last, earliest, latest } = segment;
    const events = last - first + 1;
    const columns = file.columns(segment);
    const times = once(() => decodeTimes(file.times(segment), events, earliest));
    const isOutside = latest < from || earliest >= to;
    const key = `${id} ${name}`;
    let marks = isOutside ? new Uint8Array(events) : marked.get(key);
    if (!marks) {
      marks = markAll(events);
      // The period first: with events in order of time it leaves few to be looked at.
      if (earliest < from || latest >= to) markPeriod(marks, times(), from, to);
      keepMatches(marks, conditions, columns);
      marked.set(key, marks);
    }
    const begin = Math.max(0, range.low - first);
    const end = Math.min(events, range.high - first + 1);
    return {
      kind: 'segment',
      first: first + begin,
      marks: marks.subarray(begin, end),
      times: () => ({ base: times().base, values: times().values.subarray(begin, end) }),
      failures: () => {
        const failures = markAll(events);
        failures.set(marks);
        keepMatches(failures, FAILED, columns);
        return failures.subarray(begin, end);
      },
    };
  };
}

function logAnswer(low: Sequence, events: readonly LoggedEvent[], matches: (event: LoggedEvent) => boolean): Answer {
  return {
    kind: 'log',
    first: events[0]?.sequence ?? low,
    marks: Uint8Array.from(events, (event) => Number(matches(event))),
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
