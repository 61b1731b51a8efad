import { setImmediate } from 'node:timers/promises';
import type { LoggedEvent, Sequence, TeamId } from '../event/logged-event.ts';
import { type LogReader, type Range, readRange } from './log-reader.ts';
import { compileQuery, conditionsOf } from './match.ts';
import type { EventQuery } from './search.ts';
import { decodeTimes, markMatches } from './segment.ts';
import type { SegmentFile, SegmentRow } from './segment-file.ts';

/** A piece of a team's log in which a query has been answered: a segment, or events read from the log. */
export interface Answer {
  readonly kind: 'segment' | 'log';
  /** The place of the first mark. */
  readonly first: Sequence;
  /** One mark per event, 1 where it matches. */
  readonly marks: Uint8Array;
  /** The event's own time, milliseconds. */
  timeOf(index: number): number;
  isFailure(index: number): boolean;
}

/** Events are read from the log in pieces of this many where the index does not reach. */
const LOG_PIECE = 256;
/** After this many pieces the thread is free for another query. */
const PIECES_A_TURN = 8;

const FAILURE: EventQuery = { status: ['failure'] };
const FAILED = conditionsOf(FAILURE);
const isFailure = compileQuery(FAILURE);

/**
 * Answers a query piece by piece over a range of the team's log: from segments where there are some, from the log
 * elsewhere, so that an index that lags, or has a hole, changes the speed and never the result. Throws SegmentGone when
 * the segments change meanwhile; the caller begins again.
 */
export async function* answers(
  source: { readonly file: SegmentFile; readonly log: LogReader },
  team: TeamId,
  query: EventQuery,
  range: Range,
  order: 'asc' | 'desc',
): AsyncGenerator<Answer> {
  const pieces = piecesOf(source.file.segments(team, range.low, range.high), range);
  const fromSegment = segmentAnswers(source.file, query, range);
  const matches = compileQuery(query);
  let turn = 0;
  for (const piece of order === 'asc' ? pieces : pieces.reverse()) {
    if (++turn % PIECES_A_TURN === 0) await setImmediate();
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

function segmentAnswers(file: SegmentFile, query: EventQuery, range: Range): (segment: SegmentRow) => Answer {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  const conditions = conditionsOf(query);
  return (segment) => {
    const { first, last, earliest, latest } = segment;
    const events = last - first + 1;
    let times: ((index: number) => number) | undefined;
    const timeOf = (index: number): number => {
      times ??= decodeTimes(file.column(segment, 'time'), events, earliest);
      return times(index);
    };
    let failures: Uint8Array | undefined;
    const isFailureAt = (index: number): boolean => {
      failures ??= markMatches(events, FAILED, (name) => file.column(segment, name));
      return failures[index] === 1;
    };
    if (latest < from || earliest >= to)
      return { kind: 'segment', first, marks: new Uint8Array(events), timeOf, isFailure: isFailureAt };
    const marks = markMatches(events, conditions, (name) => file.column(segment, name));
    if (earliest < from || latest >= to)
      for (let i = 0; i < events; i++) if (marks[i] && (timeOf(i) < from || timeOf(i) >= to)) marks[i] = 0;
    if (first < range.low) marks.fill(0, 0, range.low - first);
    if (last > range.high) marks.fill(0, range.high - first + 1);
    return { kind: 'segment', first, marks, timeOf, isFailure: isFailureAt };
  };
}

function logAnswer(low: Sequence, events: readonly LoggedEvent[], matches: (event: LoggedEvent) => boolean): Answer {
  return {
    kind: 'log',
    first: events[0]?.sequence ?? low,
    marks: Uint8Array.from(events, (event) => Number(matches(event))),
    timeOf: (index) => events[index]!.timestamp,
    isFailure: (index) => isFailure(events[index]!),
  };
}
