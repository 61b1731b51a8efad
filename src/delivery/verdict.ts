import type { Outcome } from '../destinations/destination.ts';
import type { LoggedEvent } from '../event/logged-event.ts';
import type { DeadLetter, Progress, Settlement } from '../store/destinations.ts';
import {
  type Batch,
  type Flight,
  framedBytes,
  isHeldByRefusals,
  type Lane,
  pendingOf,
  queued,
  REFUSED_IN_A_ROW,
  withCursor,
} from './lane.ts';
import { pageSettled } from './replay-page.ts';
import { answering, type Finding, findingOf, refusedInARow, withFinding } from './states.ts';

/** What a decision writes down beside the lane's progress, in one transaction. */
export type Effects = Pick<Settlement, 'deadLetters' | 'redriven' | 'redrive' | 'replay'>;

export interface Decision {
  readonly lane: Lane;
  readonly effects: Effects;
  /** Events the SIEM accepted. */
  readonly delivered: number;
}

/** What an outcome says of each event of its batch. */
interface Verdict {
  readonly delivered: readonly LoggedEvent[];
  readonly rejected: readonly { readonly event: LoggedEvent; readonly reason: string }[];
  readonly again: readonly Batch[];
}

type Failure = Exclude<Outcome, { kind: 'delivered' | 'refused' }>;

const SHORTEST_BACKOFF_MS = 100;
const FIRST_BACKOFF_MS = 1_000;
const FIRST_RECHECK_MS = 30_000;
const LONGEST_WAIT_MS = 300_000;

/**
 * A batch's outcome is known: who is settled, who goes again, and when the lane goes on. `random` is in [0, 1).
 * Every event of the batch ends in exactly one of: delivered, dead letter, in memory to be sent again.
 */
export function afterSend(lane: Lane, flight: Flight, outcome: Outcome, now: number, random: number): Decision {
  const { batch } = flight;
  const landed = { ...lane, flights: lane.flights.filter((other) => other.batch !== batch) };
  const tripped = judge(lane, flight, outcome);
  const { delivered, rejected, again, isWrongSetting } = tripped;
  const reason = outcome.kind === 'delivered' ? null : outcome.reason;
  // Cancelled meanwhile, a replay has no page left to go again.
  const isOver = batch.kind === 'replay' && !lane.replayPage;
  const moved = settled(queued(landed, isOver ? [] : again), flight, tripped, outcome, now);
  const progress: Progress = {
    ...moved.lane.progress,
    lastSuccessAt: delivered.length > 0 ? now : lane.progress.lastSuccessAt,
    lastError: reason === null ? lane.progress.lastError : { at: now, reason },
  };
  const after = { ...moved.lane, progress };
  const decide = (next: Lane): Decision => ({ lane: next, effects: moved.effects, delivered: delivered.length });

  if (isWrongSetting) return decide(hold(after, refusedInARow(REFUSED_IN_A_ROW, rejected.at(-1)?.reason ?? ''), now));
  if (outcome.kind === 'misconfigured') {
    const isLate = lane.progress.held && !flight.probe;
    const finding = findingOf(outcome);
    return decide(isLate ? { ...after, progress: withFinding(progress, finding, now) } : hold(after, finding, now));
  }
  if (flight.probe && delivered.length === 0) return decide(recheckLater(after, now, outcome));
  if (isFailure(outcome, delivered.length + rejected.length))
    return decide(failed(after, flight, outcome, delivered.length > 0, now, random));
  return decide(answered(after, flight, delivered.length > 0, outcome, now));
}

/** A held destination was re-checked: it resumes unless the answer still speaks against it. */
export function afterCheck(lane: Lane, outcome: Outcome, now: number): Lane {
  const checked = { ...lane, checking: false };
  if (outcome.kind === 'misconfigured') return hold(withError(checked, outcome.reason, now), findingOf(outcome), now);
  if (outcome.kind === 'retry' || outcome.kind === 'throttled')
    return recheckLater(withError(checked, outcome.reason, now), now, outcome);
  // While events wait, the next delivery says what the state is: a passed check is not yet a delivery.
  const progress = { ...lane.progress, held: false };
  const isDone = pendingOf(progress) === 0;
  return { ...checked, waitUntil: 0, progress: isDone ? withFinding(progress, answering(progress), now) : progress };
}

/** Ids of dead letters, counted as such so far, are to be sent again: from now on they count as pending. */
export function redrive(lane: Lane, ids: readonly string[]): Omit<Decision, 'delivered'> {
  const { progress } = lane;
  const chosen = new Set(ids);
  // Held by refusals, the run names events that are pending already; else the chosen ones leave it.
  const refusedRun = isHeldByRefusals(progress)
    ? progress.refusedRun
    : progress.refusedRun.filter((id) => !chosen.has(id));
  const deadLettered = progress.deadLettered - ids.length;
  return {
    lane: { ...lane, redriving: true, progress: { ...progress, deadLettered, refusedRun } },
    effects: { redrive: ids },
  };
}

/** The verdict about each event, after the rule of ten: one caught by it is kept, not dead-lettered. */
function judge(lane: Lane, flight: Flight, outcome: Outcome): Verdict & { readonly isWrongSetting: boolean } {
  const verdict = verdictOf(flight.batch, outcome, lane);
  const { refusedRun, held } = lane.progress;
  const keep = (from: number): Verdict => {
    const kept = verdict.rejected.slice(from).map(({ event }) => event);
    const again = kept.length > 0 ? [...verdict.again, { kind: flight.batch.kind, events: kept }] : verdict.again;
    return { ...verdict, rejected: verdict.rejected.slice(0, from), again };
  };
  // While held, a refusal may be the held settings' fault.
  if (flight.probe || (held && flight.batch.kind === 'delivery')) return { ...keep(0), isWrongSetting: false };
  const run = refusedRun.length + verdict.rejected.length;
  if (flight.batch.kind !== 'delivery' || verdict.delivered.length > 0 || run < REFUSED_IN_A_ROW)
    return { ...verdict, isWrongSetting: false };
  return { ...keep(REFUSED_IN_A_ROW - refusedRun.length), isWrongSetting: true };
}

function verdictOf(batch: Batch, outcome: Outcome, lane: Lane): Verdict {
  const { events } = batch;
  if (outcome.kind === 'delivered') return { delivered: events, rejected: [], again: [] };
  const taken = outcome.taken?.length ? new Set(outcome.taken) : null;
  if (outcome.kind === 'partial') {
    const reasons = new Map(outcome.rejected.map(({ id, reason }) => [id, reason]));
    const ids = new Set(outcome.again);
    const open = taken ? events.filter(({ id }) => !taken.has(id)) : events;
    const rejected = open.flatMap((event) => {
      const reason = reasons.get(event.id);
      return reason === undefined ? [] : [{ event, reason }];
    });
    const again = open.filter(({ id }) => ids.has(id) && !reasons.has(id));
    const settledIds = new Set([...rejected.map(({ event }) => event.id), ...again.map(({ id }) => id)]);
    return { delivered: events.filter(({ id }) => !settledIds.has(id)), rejected, again: part(batch, again) };
  }
  const rest = taken ? events.filter(({ id }) => !taken.has(id)) : events;
  const delivered = taken ? events.filter(({ id }) => taken.has(id)) : [];
  if (outcome.kind !== 'refused') return { delivered, rejected: [], again: part(batch, rest) };
  if (rest.length === 1) return { delivered, rejected: [{ event: rest[0]!, reason: outcome.reason }], again: [] };
  const half = outcome.tooLarge ? halfOfBytes(rest, lane) : Math.ceil(rest.length / 2);
  return { delivered, rejected: [], again: [...part(batch, rest.slice(0, half)), ...part(batch, rest.slice(half))] };
}

/** The same batch when it is whole, so that the same body is sent again. */
function part(batch: Batch, events: readonly LoggedEvent[]): readonly Batch[] {
  if (events.length === batch.events.length) return [batch];
  return events.length > 0 ? [{ kind: batch.kind, events }] : [];
}

/** Where to cut so that both parts are smaller and about equal in bytes. */
function halfOfBytes(events: readonly LoggedEvent[], { limits }: Lane): number {
  const total = events.reduce((sum, event) => sum + framedBytes(event, limits), 0);
  let count = 1;
  for (let bytes = framedBytes(events[0]!, limits); count < events.length - 1 && bytes * 2 < total; count++)
    bytes += framedBytes(events[count]!, limits);
  return count;
}

/** Counters, cursor, dead letters and the run of refusals after a verdict. */
function settled(
  lane: Lane,
  { batch, probe }: Flight,
  verdict: Verdict & { readonly isWrongSetting: boolean },
  outcome: Outcome,
  now: number,
): Omit<Decision, 'delivered'> {
  const { delivered, rejected, isWrongSetting } = verdict;
  const { progress } = lane;
  const isHeld = isHeldByRefusals(progress) && !probe;
  const refusedRun = delivered.length > 0 && !isHeld ? [] : progress.refusedRun;
  if (batch.kind === 'replay') {
    const page = pageSettled(
      { ...lane, progress: { ...progress, refusedRun } },
      delivered.length,
      rejected.length,
      now,
    );
    return { lane: page.lane, effects: page.replay ? { replay: page.replay } : {} };
  }
  const counted = { ...progress, delivered: progress.delivered + delivered.length };
  const deadLetters = rejected.map(({ event, reason }) => deadLetter(event, reason, outcome, now, isWrongSetting));
  const ids = deadLetters.map(({ id }) => id);
  const written = deadLetters.length > 0 ? { deadLetters } : {};
  if (batch.kind === 'redrive') {
    const redriven = delivered.map(({ id }) => id);
    return {
      lane: { ...lane, progress: { ...counted, refusedRun, deadLettered: progress.deadLettered + ids.length } },
      effects: { ...written, ...(redriven.length > 0 ? { redriven } : {}) },
    };
  }
  const events = [...delivered, ...rejected.map(({ event }) => event)];
  if (isWrongSetting) {
    // The earlier ones of the ten stop being dead letters; the new ones never count as such.
    const deadLettered = progress.deadLettered - refusedRun.length;
    const run = [...refusedRun, ...ids];
    const back = { ...lane, redriving: true, progress: { ...counted, refusedRun: run, deadLettered } };
    return { lane: withCursor(back, events), effects: { ...written, redrive: run } };
  }
  const after = {
    ...counted,
    refusedRun: delivered.length > 0 || isHeld ? refusedRun : [...refusedRun, ...ids],
    deadLettered: progress.deadLettered + ids.length,
  };
  return { lane: withCursor({ ...lane, progress: after }, events), effects: written };
}

function deadLetter(
  { id, sequence, eventType, eventCategory, timestamp, receivedAt, json }: LoggedEvent,
  reason: string,
  { status, answer }: Outcome,
  at: number,
  redriving: boolean,
): DeadLetter {
  const event = { id, sequence, eventType, eventCategory, timestamp, receivedAt, json };
  return { ...event, at, reason, status: status ?? null, answer: answer ?? null, redriving };
}

/** The outcome is about the destination, not about its events: wait before sending again. */
function isFailure(outcome: Outcome, verdicts: number): outcome is Failure {
  if (outcome.kind === 'partial') return outcome.pause !== undefined || verdicts === 0;
  return outcome.kind === 'retry' || outcome.kind === 'throttled';
}

/** Waits, longer with each round that failed: full jitter, and never less than asked. */
function failed(lane: Lane, flight: Flight, outcome: Failure, gotThrough: boolean, now: number, random: number): Lane {
  const isFirstOfRound = flight.round === lane.failures;
  const failures = gotThrough ? 1 : Math.max(1, isFirstOfRound ? flight.round + 1 : lane.failures);
  const backoff = isFirstOfRound ? random * Math.min(LONGEST_WAIT_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1)) : 0;
  const waitUntil = Math.max(lane.waitUntil, now + Math.max(SHORTEST_BACKOFF_MS, backoff, askedToWait(outcome)));
  if (lane.progress.held) return { ...lane, waitUntil };
  return { ...lane, failures, waitUntil, progress: withFinding(lane.progress, findingOf(outcome), now) };
}

/** The destination answers and judges events: whatever it was waited for is over, unless that began after this batch left. */
function answered(lane: Lane, flight: Flight, isDelivered: boolean, outcome: Outcome, now: number): Lane {
  const checks = isDelivered ? 0 : lane.checks;
  if (flight.round < lane.failures || (lane.progress.held && !flight.probe)) return lane;
  const progress = { ...lane.progress, held: false };
  const finding = answering(progress, outcome.kind === 'delivered' ? (outcome.warning ?? null) : null);
  return { ...lane, failures: 0, checks, waitUntil: 0, progress: withFinding(progress, finding, now) };
}

/** A person must act: nothing is sent until a re-check passes. */
export function hold(lane: Lane, finding: Finding, now: number): Lane {
  const progress = { ...withFinding(lane.progress, finding, now), held: true };
  return { ...lane, failures: 0, checks: lane.checks + 1, waitUntil: now + recheckMs(lane.checks), progress };
}

function recheckLater(lane: Lane, now: number, outcome: Outcome): Lane {
  const waitUntil = now + Math.max(recheckMs(lane.checks), askedToWait(outcome));
  return { ...lane, checks: lane.checks + 1, waitUntil };
}

function recheckMs(checks: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_RECHECK_MS * 2 ** checks);
}

function askedToWait(outcome: Outcome): number {
  return outcome.kind === 'retry' || outcome.kind === 'throttled' ? (outcome.retryAfterMs ?? 0) : 0;
}

function withError(lane: Lane, reason: string, at: number): Lane {
  return { ...lane, progress: { ...lane.progress, lastError: { at, reason } } };
}
