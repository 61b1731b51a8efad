import type { DestinationLimits } from '../destinations/destination.ts';
import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import type { FilterVersion, Progress, Replay, StoredDestination } from '../store/destinations.ts';
import { matches } from './filter.ts';
import { type Told, tellDueAt } from './states.ts';

/*
 * A lane: one destination's way through the log. This file and `verdict.ts` decide everything about it, purely: no I/O,
 * no clock, no randomness; `lane-loop.ts` performs what `next` says and hands back what came of it.
 *
 * Three places in the log, cursor ≤ fetched ≤ scanned: up to the cursor everything is settled or filtered; up to
 * `fetched` every matching event is settled or in memory (ready, queued or in flight); up to `scanned` every event is
 * counted. Only `progress` is durable: a lane opened from it fetches again from the cursor, so that letting go of what
 * is in memory (`released`) and a crash are the same thing.
 */

/** Events sent together, in sequence order, never empty. Its identity lasts as long as the same body is sent again. */
export interface Batch {
  readonly kind: 'delivery' | 'redrive' | 'replay';
  readonly events: readonly LoggedEvent[];
}

/** A batch whose outcome is awaited. */
export interface Flight {
  readonly batch: Batch;
  /** `Lane.failures` when it was sent: an older round's outcome neither lengthens the backoff nor ends it. */
  readonly round: number;
  /** The SIEM took the body and the outcome comes later: the next batch may go. */
  readonly accepted: boolean;
  /** One event of a destination held by the rule of ten, to see whether it is accepted now. */
  readonly probe: boolean;
}

/** The batch a replay is at: its cursor moves when all of the page is settled. */
export interface ReplayPage {
  readonly through: Sequence;
  readonly open: number;
  readonly delivered: number;
  readonly rejected: number;
}

export interface Lane {
  readonly progress: Progress;
  readonly limits: DestinationLimits;
  readonly filters: readonly FilterVersion[];
  readonly parallel: number;
  readonly lingerMs: number;
  readonly paused: boolean;
  readonly fetched: Sequence;
  /** The log may have events after `scanned`. */
  readonly more: boolean;
  /** When it was noticed that it has, as long as none of them is read; else Infinity. */
  readonly moreSince: number;
  /** Fetched and matching, not yet made into a batch. */
  readonly ready: readonly LoggedEvent[];
  readonly readySince: number;
  /** Go before anything new: what must be sent again, and a batch prepared ahead. By first sequence. */
  readonly queue: readonly Batch[];
  readonly flights: readonly Flight[];
  /** Rounds of sending that failed since something was last accepted. */
  readonly failures: number;
  /** Times held or re-checked in vain since something was last accepted. */
  readonly checks: number;
  readonly checking: boolean;
  /** Nothing is sent or re-checked before. */
  readonly waitUntil: number;
  /** The store may hold redriving dead letters that are not in memory. */
  readonly redriving: boolean;
  readonly replay: Replay | null;
  readonly replayPage: ReplayPage | null;
  /** The last new batch was the log's: the replay is next. */
  readonly replayTurn: boolean;
  readonly told: Told;
}

export type Step =
  /** Send this batch: the first queued, or the first of `ready`. */
  | { readonly kind: 'send'; readonly batch: Batch }
  /** Load redriving dead letters, or the replay's next page, and hand them to `loaded`. */
  | { readonly kind: 'load'; readonly what: 'redrive' | 'replay' }
  /** Held: prove the settings with `check()`, or by sending one waiting event. */
  | { readonly kind: 'check' | 'probe' }
  /** Read after `fetched`, keeping what matches. */
  | { readonly kind: 'fetch' }
  /** Read after `scanned`, only to count. */
  | { readonly kind: 'scan' }
  /** Nothing to do before this time, or before something happens. */
  | { readonly kind: 'wait'; readonly until: number | null };

/** Ten single events refused in a row with nothing delivered between hold the destination (design §3). */
export const REFUSED_IN_A_ROW = 10;
/** Longest that events at hand wait for the rest of their batch to be read from a backlog. */
const GATHER_MS = 50;
/** A longer wait is not worth keeping batches in memory for. */
const KEEP_IN_MEMORY_MS = 5_000;

export function openLane(
  stored: StoredDestination,
  progress: Progress,
  limits: DestinationLimits,
  replay: Replay | null,
): Lane {
  const { filters, parallel, lingerMs } = stored;
  return {
    ...{ progress, limits, filters, parallel, lingerMs, replay },
    paused: stored.paused !== null,
    fetched: progress.cursor,
    more: true,
    moreSince: Infinity,
    ...{ ready: [], readySince: 0, queue: [], flights: [] },
    ...{ failures: 0, checks: 0, checking: false, waitUntil: 0 },
    ...{ redriving: true, replayPage: null, replayTurn: false },
    told: { state: progress.state, seen: progress.state, at: {}, changes: 0 },
  };
}

/** What to do at `now`. The caller performs the step, tells the lane, and asks again. */
export function next(lane: Lane, now: number): Step {
  const waiting = lane.paused || now < lane.waitUntil;
  if (lane.progress.held) {
    if (!waiting && !lane.checking && lane.flights.length === 0)
      return { kind: isHeldByRefusals(lane.progress) ? 'probe' : 'check' };
  } else if (!waiting) {
    const behind = lane.fetched < lane.progress.scanned || lane.more;
    const send = hasRoom(lane) ? nextToSend(lane, behind, now) : null;
    if (send) return send;
    if (behind && !isFull(lane)) return { kind: 'fetch' };
  }
  if (lane.more) return { kind: 'scan' };
  return { kind: 'wait', until: wakeAt(lane, now) };
}

/** Sending goes on only with the queue's first, then dead letters, then the replay and the log in turns. */
function nextToSend(lane: Lane, behind: boolean, now: number): Step | null {
  const { queue, ready, limits } = lane;
  if (queue[0]) return { kind: 'send', batch: queue[0] };
  if (lane.redriving && !inMemory(lane, 'redrive')) return { kind: 'load', what: 'redrive' };
  const gathered = ready.length > 0 && (isFull(lane) || now >= lane.readySince + gatherMs(lane, behind));
  if (lane.replay && !inMemory(lane, 'replay') && (gathered ? lane.replayTurn : !behind))
    return { kind: 'load', what: 'replay' };
  return gathered
    ? { kind: 'send', batch: { kind: 'delivery', events: ready.slice(0, countOfBatch(ready, limits)) } }
    : null;
}

function gatherMs(lane: Lane, behind: boolean): number {
  return behind ? Math.max(lane.lingerMs, GATHER_MS) : lane.lingerMs;
}

function wakeAt(lane: Lane, now: number): number | null {
  const times = [tellDueAt(lane.told, lane.progress) ?? now];
  if (!lane.paused) times.push(lane.waitUntil);
  if (!lane.paused && !lane.progress.held && lane.ready.length > 0) times.push(lane.readySince + lane.lingerMs);
  const coming = times.filter((at) => at > now);
  return coming.length > 0 ? Math.min(...coming) : null;
}

function hasRoom({ flights, parallel, limits }: Lane): boolean {
  const unaccepted = flights.filter((flight) => !flight.accepted).length;
  return unaccepted < parallel && flights.length < Math.max(parallel, limits.awaiting ?? 1);
}

/** A whole batch is at hand. */
function isFull({ ready, limits }: Lane): boolean {
  return ready.length >= limits.batchEvents || countOfBatch(ready, limits) < ready.length;
}

/** How many of the events go into one batch: at least one. */
function countOfBatch(events: readonly LoggedEvent[], limits: DestinationLimits): number {
  const most = Math.min(events.length, limits.batchEvents);
  let bytes = 0;
  for (let i = 0; i < most; i++) {
    bytes += framedBytes(events[i]!, limits);
    if (bytes > limits.batchBytes && i > 0) return i;
  }
  return most;
}

/** Upper bound of an event's share of a body; a larger event is cut to `eventBytes`. */
export function framedBytes(event: LoggedEvent, limits: DestinationLimits): number {
  return Math.min(event.bytes + limits.overheadBytes, limits.eventBytes);
}

export function isHeldByRefusals({ held, refusedRun }: Progress): boolean {
  return held && refusedRun.length >= REFUSED_IN_A_ROW;
}

/**
 * The one event with which a destination held by the rule of ten is tried: in turns one that waits, newest first, and one
 * of the ten, each time another. Ten events that deserve to be refused must not hold the others for ever.
 */
export function probeOf(
  checks: number,
  waiting: readonly LoggedEvent[],
  refused: readonly LoggedEvent[],
): Batch | null {
  const isFromLog = waiting.length > 0 && (checks % 2 === 0 || refused.length === 0);
  const candidates = isFromLog ? waiting.toReversed() : refused;
  const event = candidates[Math.floor(checks / 2) % candidates.length];
  return event ? { kind: isFromLog ? 'delivery' : 'redrive', events: [event] } : null;
}

export function pendingOf({ matched, delivered, deadLettered }: Progress): number {
  return matched - delivered - deadLettered;
}

function inMemory({ queue, flights }: Lane, kind: Batch['kind']): boolean {
  return queue.some((batch) => batch.kind === kind) || flights.some(({ batch }) => batch.kind === kind);
}

/** The batch is being sent. */
export function launched(lane: Lane, batch: Batch, probe = false): Lane {
  const flights = [...lane.flights, { batch, round: lane.failures, accepted: false, probe }];
  if (probe) return { ...lane, flights };
  const replayTurn = batch.kind === 'delivery';
  if (lane.queue[0] === batch) return { ...lane, flights, replayTurn, queue: lane.queue.slice(1) };
  return { ...lane, flights, replayTurn, ready: lane.ready.slice(batch.events.length) };
}

/** While a batch is in flight the next one, if it is whole, is set aside to be prepared. */
export function staged(lane: Lane): Lane {
  if (lane.queue.length > 0 || lane.flights.length === 0 || !isFull(lane)) return lane;
  const count = countOfBatch(lane.ready, lane.limits);
  return {
    ...lane,
    queue: [{ kind: 'delivery', events: lane.ready.slice(0, count) }],
    ready: lane.ready.slice(count),
  };
}

/** The SIEM took the body of this batch; its outcome comes later. */
export function accepted(lane: Lane, batch: Batch): Lane {
  return { ...lane, flights: lane.flights.map((f) => (f.batch === batch ? { ...f, accepted: true } : f)) };
}

/** Events were read after `fetched`. `more`: there may be further ones. */
export function fetched(lane: Lane, events: readonly LoggedEvent[], more: boolean, now: number): Lane {
  const ahead = lane.progress.settledAhead.length > 0 ? new Set(lane.progress.settledAhead) : null;
  const ready = lane.ready.slice();
  let { matched, filtered, scanned } = lane.progress;
  for (const event of events) {
    const isMatch = matches(lane.filters, event);
    if (event.sequence > scanned && isMatch) matched++;
    if (event.sequence > scanned && !isMatch) filtered++;
    if (isMatch && !ahead?.has(event.sequence)) ready.push(event);
  }
  // Nothing there although it was counted: what is missing from the log cannot be sent.
  const last = events.at(-1)?.sequence ?? scanned;
  scanned = Math.max(scanned, last);
  return withCursor({
    ...lane,
    ready,
    readySince: lane.ready.length > 0 ? lane.readySince : Math.min(now, lane.moreSince),
    moreSince: Infinity,
    fetched: last,
    more: last < scanned ? lane.more : more,
    progress: { ...lane.progress, matched, filtered, scanned },
  });
}

/** Events were read after `scanned` to be counted. What is filtered right behind the cursor is passed at once. */
export function scanned(lane: Lane, events: readonly LoggedEvent[], more: boolean): Lane {
  let { matched, filtered, scanned } = lane.progress;
  let through = lane.fetched;
  for (const event of events) {
    const isMatch = matches(lane.filters, event);
    if (isMatch) matched++;
    else filtered++;
    if (!isMatch && through === scanned) through = event.sequence;
    scanned = event.sequence;
  }
  return withCursor({ ...lane, more, fetched: through, progress: { ...lane.progress, matched, filtered, scanned } });
}

/** Every event after `scanned` up to `through` matches whatever it is: counted without being read. */
export function scannedAll(lane: Lane, through: Sequence, more: boolean): Lane {
  const { progress } = lane;
  const count = Math.max(0, through - progress.scanned);
  return {
    ...lane,
    more,
    progress: { ...progress, scanned: progress.scanned + count, matched: progress.matched + count },
  };
}

/** Redriving dead letters (or a replay's events, read up to `through`) were loaded; what does not fit is loaded later. */
export function loaded(
  lane: Lane,
  kind: 'redrive' | 'replay',
  events: readonly LoggedEvent[],
  through: Sequence,
): Lane {
  const batch = { kind, events: events.slice(0, countOfBatch(events, lane.limits)) };
  const isPart = batch.events.length < events.length;
  if (kind === 'redrive') return events.length > 0 ? queued(lane, [batch]) : { ...lane, redriving: false };
  const page = { open: batch.events.length, delivered: 0, rejected: 0 };
  return {
    ...queued(lane, events.length > 0 ? [batch] : []),
    replayPage: { ...page, through: isPart ? batch.events.at(-1)!.sequence : through },
  };
}

/** The batches go before anything new, in sequence order. */
export function queued(lane: Lane, batches: readonly Batch[]): Lane {
  if (batches.length === 0) return lane;
  const queue = [...batches, ...lane.queue].sort((a, b) => a.events[0]!.sequence - b.events[0]!.sequence);
  return { ...lane, queue };
}

/** Lets go of what is in memory when it will not be sent soon: it is read again from the cursor. */
export function released(lane: Lane, now: number): Lane {
  const isIdle = lane.paused || lane.progress.held || lane.waitUntil - now > KEEP_IN_MEMORY_MS;
  const holds = lane.ready.length > 0 || lane.queue.length > 0 || lane.replayPage !== null;
  if (!isIdle || !holds || lane.flights.length > 0) return lane;
  return rewound(lane);
}

/** As if the lane had just been opened from its progress; nothing may be in flight. */
export function rewound(lane: Lane): Lane {
  return { ...lane, fetched: lane.progress.cursor, ready: [], queue: [], replayPage: null };
}

/** Settings were edited, a test succeeded, or a person resumed: no waiting, and a held destination is re-checked now. */
export function nudged(lane: Lane): Lane {
  return { ...lane, failures: 0, checks: 0, waitUntil: 0 };
}

/** The clock was set back: what waits for a time would wait as much longer. */
export function clockSetBack(lane: Lane): Lane {
  return { ...lane, waitUntil: 0, readySince: 0, told: { ...lane.told, at: {} } };
}

/** The cursor moved over the contiguous prefix of what is settled or filtered; `settled` are the newly settled events. */
export function withCursor(lane: Lane, settled: readonly LoggedEvent[] = []): Lane {
  const { progress } = lane;
  let outstanding = lane.fetched + 1;
  const first = (events: readonly LoggedEvent[]): void => {
    if (events[0] && events[0].sequence < outstanding) outstanding = events[0].sequence;
  };
  first(lane.ready);
  for (const batch of lane.queue) if (batch.kind === 'delivery') first(batch.events);
  for (const { batch } of lane.flights) if (batch.kind === 'delivery') first(batch.events);
  const cursor = outstanding - 1;
  if (cursor === progress.cursor && settled.length === 0) return lane;
  const settledAhead = progress.settledAhead.filter((sequence) => sequence > cursor);
  for (const { sequence } of settled) if (sequence > cursor) settledAhead.push(sequence);
  return { ...lane, progress: { ...progress, cursor, settledAhead: settledAhead.sort((a, b) => a - b) } };
}
