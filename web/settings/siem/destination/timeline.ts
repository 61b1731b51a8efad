import { count, duration, STATES, type State } from '../../../ui/words.ts';
import type { TimelineBucket } from '../model.ts';

/* What the chart of a destination shows, computed from what the service answers: no pixels here. Instants are milliseconds. */

/** Ranges of the chart: how far back, and how wide a column is. */
export const RANGES = {
  '1h': { title: '1 h', words: 'the last hour', hours: 1, stepMs: 60_000 },
  '24h': { title: '24 h', words: 'the last 24 hours', hours: 24, stepMs: 15 * 60_000 },
  '7d': { title: '7 d', words: 'the last 7 days', hours: 168, stepMs: 2 * 3_600_000 },
  '30d': { title: '30 d', words: 'the last 30 days', hours: 720, stepMs: 8 * 3_600_000 },
} as const;
export type RangeName = keyof typeof RANGES;

export const RANGE_NAMES: readonly RangeName[] = ['1h', '24h', '7d', '30d'];

/** The range that the address names; without one a day, or an hour for a destination that is younger. */
export function rangeOf(name: string | undefined, ageMs = Number.POSITIVE_INFINITY): RangeName {
  return RANGE_NAMES.find((known) => known === name) ?? (ageMs < 3_600_000 ? '1h' : '24h');
}

export interface Column {
  readonly at: number;
  readonly delivered: number;
  readonly failed: number;
  /** The longest that an event had waited; null: nothing was tried, or it is not known. */
  readonly lagSeconds: number | null;
}

/** The columns of a range that ends with the one `now` is in, oldest first; gaps are columns too. */
export function columnsOf(buckets: readonly TimelineBucket[], range: RangeName, now: number): readonly Column[] {
  const { hours, stepMs } = RANGES[range];
  const end = (Math.floor(now / stepMs) + 1) * stepMs;
  const begin = end - hours * 3_600_000;
  const columns = Array.from({ length: (end - begin) / stepMs }, (_, i): Column => {
    return { at: begin + i * stepMs, delivered: 0, failed: 0, lagSeconds: null };
  });
  for (const { at, delivered, failed, lagSeconds } of buckets) {
    const place = Math.floor((Date.parse(at) - begin) / stepMs);
    const column = columns[place];
    if (!column) continue;
    columns[place] = {
      at: column.at,
      delivered: column.delivered + delivered,
      failed: column.failed + failed,
      lagSeconds: lagSeconds === null ? column.lagSeconds : Math.max(lagSeconds, column.lagSeconds ?? 0),
    };
  }
  return columns;
}

/** An audit event that says how a destination's state changed. */
export interface StateEvent {
  readonly timestamp: string;
  readonly eventType: string;
  readonly changes?: { readonly previous?: StateValue; readonly current?: StateValue };
}
interface StateValue {
  readonly state?: State;
}

export interface Band {
  readonly from: number;
  readonly to: number;
  readonly state: State;
}

/**
 * The states between `from` and `to`, from the events in any order; nothing before `createdAt`. The last band is the
 * present state, whatever the events say: they are written at most once a minute.
 */
export function bandsOf(
  events: readonly StateEvent[],
  present: { readonly state: State; readonly since: number; readonly createdAt: number },
  from: number,
  to: number,
): readonly Band[] {
  const changes = events
    .flatMap((event) => {
      const state = stateAfter(event);
      return state ? [{ at: Date.parse(event.timestamp), ...state }] : [];
    })
    .sort((a, b) => a.at - b.at);
  const begin = Math.max(from, Math.min(present.createdAt, to));
  const first = changes.find(({ at }) => at >= begin)?.before ?? (changes.length > 0 ? 'connected' : present.state);
  const points = [{ at: begin, state: first }, ...changes.map(({ at, after }) => ({ at, state: after }))];
  if (points.at(-1)!.state !== present.state)
    points.push({ at: Math.max(present.since, points.at(-1)!.at), state: present.state });
  const bands: Band[] = [];
  for (const [i, { at, state }] of points.entries()) {
    const band = { from: Math.max(at, begin), to: Math.min(points[i + 1]?.at ?? to, to), state };
    const last = bands.at(-1);
    if (band.to <= band.from) continue;
    if (last?.state === state) bands[bands.length - 1] = { ...last, to: band.to };
    else bands.push(band);
  }
  return bands;
}

/** A pause hides the state under it; after it, events say the next state. */
function stateAfter({ eventType, changes }: StateEvent): { before: State; after: State } | undefined {
  if (eventType === 'siem.destination.paused') return { before: 'connected', after: 'paused' };
  if (eventType === 'siem.destination.resumed') return { before: 'paused', after: 'connected' };
  const [before, after] = [changes?.previous?.state, changes?.current?.state];
  return before && after && before in STATES && after in STATES ? { before, after } : undefined;
}

/** The smallest of 1, 2, 5, 10, 20, 50 … that is at least n: a scale's upper end. */
export function niceMax(n: number): number {
  if (n <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= n) ?? 10 * power;
}

/** The chart in words, for who does not see it. */
export function summaryOf(columns: readonly Column[], bands: readonly Band[], range: RangeName): string {
  const delivered = columns.reduce((sum, column) => sum + column.delivered, 0);
  const failed = columns.reduce((sum, column) => sum + column.failed, 0);
  const lag = columns.reduce((max, { lagSeconds }) => Math.max(max, lagSeconds ?? 0), 0);
  const unwell = bands.filter(({ state }) => STATES[state].mood === 'bad' || STATES[state].mood === 'patient');
  const unwellMs = unwell.reduce((sum, { from, to }) => sum + to - from, 0);
  return [
    `In ${RANGES[range].words}: ${count(delivered, 'event')} delivered, ${count(failed, 'attempt')} failed.`,
    ...(delivered + failed > 0 ? [`No event waited longer than ${duration(lag)}.`] : []),
    unwell.length === 0
      ? 'It was well all the time.'
      : `It was not well for ${duration(unwellMs / 1000)}: ${[...new Set(unwell.map(({ state }) => STATES[state].word))].join(', ')}.`,
  ].join(' ');
}
