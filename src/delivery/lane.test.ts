import { describe, expect, it } from 'vitest';
import type { DestinationLimits, Outcome } from '../destinations/destination.ts';
import type { LoggedEvent } from '../event/logged-event.ts';
import type { Progress, StoredDestination } from '../store/destinations.ts';
import { withFilter } from './filter.ts';
import { type Batch, type Flight, fetched, type Lane, launched, next, openLane, pendingOf, scanned } from './lane.ts';
import { afterCheck, afterSend, type Decision } from './verdict.ts';

const NOW = 1_000_000;
const LIMITS: DestinationLimits = { batchEvents: 8, batchBytes: 10_000, eventBytes: 2_000, overheadBytes: 0 };
const PROGRESS: Progress = {
  ...{ cursor: 0, settledAhead: [], scanned: 0, matched: 0, filtered: 0, delivered: 0, deadLettered: 0 },
  ...{ state: 'connected', since: 0, cause: null, fix: null, held: false, refusedRun: [] },
  ...{ lastSuccessAt: 1, lastError: null },
};
const ALL = { categories: null, eventTypes: null, newCategories: true };

function events(count: number, bytes = 100): LoggedEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ team: 't', sequence: i + 1, id: `e${i + 1}`, eventType: 'auth.logout', eventCategory: 'authentication' },
    ...{ timestamp: NOW, receivedAt: NOW, json: '{}', bytes: i === 0 ? bytes : 100 },
  }));
}

function lane(count: number, change: Partial<Progress> = {}, bytes = 100): Lane {
  const filters = withFilter([], ALL, { fromSequence: 1, cursor: 0, seen: [] });
  const stored = { filters, parallel: 1, lingerMs: 0, paused: null } as unknown as StoredDestination;
  const opened = { ...openLane(stored, { ...PROGRESS, ...change }, LIMITS, null), redriving: false };
  return fetched(opened, events(count, bytes), false, NOW);
}

function inFlight(lane: Lane, failures = 0): { lane: Lane; flight: Flight } {
  const step = next(lane, NOW);
  if (step.kind !== 'send') throw new Error(`expected a batch to send, not ${step.kind}`);
  const flying = launched({ ...lane, failures }, step.batch);
  return { lane: flying, flight: flying.flights[0]! };
}

/** What became of a batch of `count` events. */
function landed(count: number, outcome: Outcome, change: Partial<Progress> = {}, bytes = 100): Decision {
  const { lane: flying, flight } = inFlight(lane(count, change, bytes));
  return afterSend(flying, flight, outcome, NOW, 0.5);
}

const sizes = (queue: readonly Batch[]): number[] => queue.map((batch) => batch.events.length);
const ids = (queue: readonly Batch[]): string[] => queue.flatMap((batch) => batch.events.map((event) => event.id));

describe('an outcome', () => {
  const retry = { kind: 'retry', reason: 'r' } as const;
  const misconfigured = { kind: 'misconfigured', reason: 'r', fix: 'f' } as const;
  const none = { rejected: [], again: [], reason: 'r' } as const;
  const cases: readonly [string, Outcome, object][] = [
    ['delivered', { kind: 'delivered' }, { delivered: 4, cursor: 4, pending: 0, state: 'connected', wait: 0 }],
    [
      'delivered with a warning',
      { kind: 'delivered', warning: 'queue nearly full' },
      { delivered: 4, state: 'connected', cause: 'queue nearly full' },
    ],
    ['unreachable', { ...retry, cause: 'unreachable' }, { pending: 4, cursor: 0, state: 'disconnected', wait: 500 }],
    ['a server error', { ...retry, cause: 'server' }, { pending: 4, state: 'retrying', wait: 500 }],
    [
      'a server error with Retry-After',
      { ...retry, cause: 'server', retryAfterMs: 90_000 },
      { pending: 4, state: 'retrying', wait: 90_000 },
    ],
    ['throttled', { kind: 'throttled', reason: 'r' }, { pending: 4, state: 'throttled', wait: 500 }],
    [
      'throttled, asked to wait less than the backoff',
      { kind: 'throttled', reason: 'r', retryAfterMs: 10 },
      { state: 'throttled', wait: 500 },
    ],
    ['taken in part', { ...retry, cause: 'server', taken: ['e1', 'e2'] }, { delivered: 2, cursor: 2, pending: 2 }],
    [
      'a bad credential',
      { ...misconfigured, cause: 'credential' },
      { pending: 4, state: 'authentication_failed', held: true, wait: 30_000, fix: 'f' },
    ],
    ['no permission', { ...misconfigured, cause: 'permission' }, { state: 'authentication_failed', held: true }],
    ['bad TLS', { ...misconfigured, cause: 'tls' }, { state: 'disconnected', held: true }],
    ['a bad address', { ...misconfigured, cause: 'address' }, { state: 'disconnected', held: true }],
    ['a bad setting', { ...misconfigured, cause: 'setting' }, { state: 'misconfigured', held: true }],
    ['refused', { kind: 'refused', reason: 'r' }, { pending: 4, queue: [2, 2], state: 'connected', wait: 0 }],
    [
      'refused with the part before the culprit taken',
      { kind: 'refused', reason: 'r', taken: ['e1', 'e2', 'e3'] },
      { delivered: 3, deadLettered: 1, cursor: 4, pending: 0, queue: [] },
    ],
    [
      'partial',
      { ...none, kind: 'partial', rejected: [{ id: 'e2', reason: 'mapping' }], again: ['e3'] },
      { delivered: 2, deadLettered: 1, pending: 1, cursor: 2, ahead: [4], queue: [1], wait: 0, state: 'connected' },
    ],
    [
      'partial, told to wait',
      { ...none, kind: 'partial', again: ['e1'], pause: 'throttled' },
      { delivered: 3, pending: 1, cursor: 0, ahead: [2, 3, 4], state: 'throttled', wait: 500 },
    ],
    [
      'partial without any verdict',
      { ...none, kind: 'partial', again: ['e1', 'e2', 'e3', 'e4'] },
      { delivered: 0, pending: 4, state: 'retrying', wait: 500 },
    ],
    [
      'an id both rejected and to be sent again',
      { ...none, kind: 'partial', rejected: [{ id: 'e2', reason: 'mapping' }], again: ['e2'] },
      { delivered: 3, deadLettered: 1, pending: 0, queue: [] },
    ],
  ];
  it.each(cases)('%s', (_, outcome, expected) => {
    const { lane, effects } = landed(4, outcome);
    const { progress, queue, waitUntil } = lane;
    const wait = Math.max(0, waitUntil - NOW);
    const ahead = progress.settledAhead;
    expect({ ...progress, pending: pendingOf(progress), queue: sizes(queue), wait, ahead }).toMatchObject(expected);
    expect(effects.deadLetters?.length ?? 0).toBe(progress.deadLettered);
  });

  it('keeps the whole batch as it was, so that the same body is sent again', () => {
    const { lane: flying, flight } = inFlight(lane(4));
    const { lane: after } = afterSend(flying, flight, { kind: 'throttled', reason: 'busy' }, NOW, 0.5);
    expect(after.queue[0]).toBe(flight.batch);
  });

  it('too large is halved by bytes', () => {
    expect(sizes(landed(8, { kind: 'refused', reason: 'r', tooLarge: true }, {}, 1_500).lane.queue)).toEqual([1, 7]);
    expect(sizes(landed(8, { kind: 'refused', reason: 'r', tooLarge: true }).lane.queue)).toEqual([4, 4]);
  });

  it('writes the answer into the dead letter', () => {
    const { effects } = landed(1, { kind: 'refused', reason: 'Invalid', status: 400, answer: 'code 6' });
    const letter = { id: 'e1', sequence: 1, reason: 'Invalid', status: 400, answer: 'code 6', at: NOW };
    expect(effects.deadLetters).toMatchObject([letter]);
  });

  it('lets the wait grow to five minutes, with full jitter', () => {
    const waits = [0, 1, 2, 5, 8, 9, 40].map((failures) => {
      const { lane: flying, flight } = inFlight(lane(1), failures);
      const retry = { kind: 'retry', cause: 'server', reason: 'r' } as const;
      return [0, 0.999].map((random) => Math.round(afterSend(flying, flight, retry, NOW, random).lane.waitUntil - NOW));
    });
    expect(waits).toEqual([
      [100, 999],
      [100, 1_998],
      [100, 3_996],
      [100, 31_968],
      [100, 255_744],
      [100, 299_700],
      [100, 299_700],
    ]);
  });

  it('of an older round neither lengthens the backoff nor ends it', () => {
    const two = { ...lane(16), parallel: 2, limits: { ...LIMITS, batchEvents: 8 } };
    const first = inFlight(two);
    const both = inFlight(first.lane);
    const [a, b] = both.lane.flights as [Flight, Flight];
    const busy = { kind: 'retry', cause: 'server', reason: 'r', retryAfterMs: 60_000 } as const;
    const failed = afterSend(both.lane, a, busy, NOW, 0.5).lane;
    const again = afterSend(failed, b, { ...busy, retryAfterMs: 0 }, NOW, 0.5).lane;
    expect({ failures: again.failures, wait: again.waitUntil - NOW }).toEqual({ failures: 1, wait: 60_000 });
    const late = afterSend(failed, b, { kind: 'delivered' }, NOW, 0.5).lane;
    expect({ state: late.progress.state, wait: late.waitUntil - NOW }).toEqual({ state: 'retrying', wait: 60_000 });
    expect(late.progress).toMatchObject({ delivered: 8, cursor: 0, settledAhead: [9, 10, 11, 12, 13, 14, 15, 16] });
  });
});

describe('ten refusals in a row', () => {
  const refused = { kind: 'refused', reason: 'no such index' } as const;
  const nine = Array.from({ length: 9 }, (_, i) => `d${i}`);

  it('hold the destination and bring the ten back', () => {
    const { lane: after, effects } = landed(1, refused, { refusedRun: nine, deadLettered: 9, matched: 9 });
    expect(after.progress).toMatchObject({ held: true, state: 'misconfigured', deadLettered: 0, cursor: 1 });
    expect(pendingOf(after.progress)).toBe(10);
    expect(effects).toMatchObject({ redrive: [...nine, 'e1'], deadLetters: [{ id: 'e1', redriving: true }] });
    expect(next(after, NOW)).toEqual({ kind: 'wait', until: NOW + 30_000 });
    expect(next(after, NOW + 30_000)).toEqual({ kind: 'probe' });
  });

  it('are nine when something was delivered between', () => {
    const { progress } = landed(1, { kind: 'delivered' }, { refusedRun: nine, deadLettered: 9, matched: 9 }).lane;
    expect(progress).toMatchObject({ held: false, refusedRun: [], deadLettered: 9 });
  });

  it('may come in one answer; what goes beyond ten stays in the log', () => {
    const rejected = events(8).map(({ id }) => ({ id, reason: 'mapping' }));
    const outcome: Outcome = { kind: 'partial', rejected, again: [], reason: 'all rejected' };
    const run = { refusedRun: nine.slice(0, 5), deadLettered: 5, matched: 5 };
    const { lane: after, effects } = landed(8, outcome, run);
    expect(effects.redrive).toHaveLength(10);
    expect(after.progress).toMatchObject({ held: true, deadLettered: 0, cursor: 5 });
    expect(ids(after.queue)).toEqual(['e6', 'e7', 'e8']);
  });

  const ten = { held: true, state: 'misconfigured', refusedRun: [...nine, 'd9'], matched: 10 } as const;
  const probe = (outcome: Outcome): Decision => {
    const [event] = events(1);
    const flying = launched({ ...lane(1, ten), checks: 1 }, { kind: 'redrive', events: [event!] }, true);
    return afterSend(flying, flying.flights[0]!, outcome, NOW, 0.5);
  };

  it('are probed with one of them: refused, it is no dead letter and the next probe comes later', () => {
    const { lane: after, effects } = probe(refused);
    expect(after.progress).toMatchObject({ held: true, deadLettered: 0 });
    expect({ effects, wait: after.waitUntil - NOW, checks: after.checks }).toEqual({
      effects: {},
      wait: 60_000,
      checks: 2,
    });
  });

  it('are over when the probe is delivered', () => {
    const { lane: after, effects } = probe({ kind: 'delivered' });
    expect(after.progress).toMatchObject({ held: false, state: 'connected', refusedRun: [], delivered: 1 });
    expect(effects).toEqual({ redriven: ['e1'] });
  });
});

describe('a re-check', () => {
  const bad: Outcome = { kind: 'misconfigured', cause: 'credential', reason: 'still', fix: 'f' };
  const held = (count: number): Lane => ({
    ...lane(count, { held: true, state: 'authentication_failed', cause: 'was', since: 5 }),
    checking: true,
  });

  it('comes slower and slower, up to five minutes', () => {
    let checked = held(1);
    const waits = Array.from({ length: 6 }, () => {
      checked = afterCheck(checked, bad, NOW);
      return checked.waitUntil - NOW;
    });
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
    expect(checked.progress).toMatchObject({ cause: 'still', since: 5 });
  });

  it('that finds nobody home leaves the hold and its cause as they are', () => {
    const { progress } = afterCheck(held(1), { kind: 'retry', cause: 'unreachable', reason: 'timeout' }, NOW);
    expect(progress).toMatchObject({ held: true, state: 'authentication_failed', cause: 'was' });
  });

  it('that passes resumes; the state waits for the delivery when there is something to deliver', () => {
    const waiting = afterCheck(held(1), { kind: 'delivered' }, NOW);
    expect(waiting.progress).toMatchObject({ held: false, state: 'authentication_failed' });
    expect(next(waiting, NOW).kind).toBe('send');
    expect(afterCheck(held(0), { kind: 'delivered' }, NOW).progress).toMatchObject({ held: false, state: 'connected' });
  });
});

describe('what comes next', () => {
  it('is what must be sent again before anything new', () => {
    const after = landed(8, { kind: 'refused', reason: 'r' }).lane;
    const more = fetched(after, [{ ...events(1)[0]!, sequence: 9, id: 'e9' }], false, NOW);
    const step = next(more, NOW);
    expect(step.kind === 'send' && ids([step.batch])).toEqual(['e1', 'e2', 'e3', 'e4']);
  });

  it('is nothing while paused, but what comes is counted', () => {
    const paused = { ...lane(0), paused: true, more: true };
    expect(next(paused, NOW)).toEqual({ kind: 'scan' });
    const counted = scanned(paused, events(3), false);
    expect(pendingOf(counted.progress)).toBe(3);
    expect(next(counted, NOW)).toEqual({ kind: 'wait', until: null });
  });

  it('passes what is filtered right behind the cursor even while paused', () => {
    const filter = { ...ALL, categories: ['gateway'], newCategories: false };
    const filters = withFilter([], filter, { fromSequence: 1, cursor: 0, seen: [] });
    const counted = scanned({ ...lane(0), filters, paused: true }, events(3), false);
    expect(counted.progress).toMatchObject({ cursor: 3, filtered: 3, matched: 0 });
  });
});
