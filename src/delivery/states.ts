import type { Outcome } from '../destinations/destination.ts';
import type { DestinationState, Progress } from '../store/destinations.ts';

/** What a destination's state says to people: what was measured and what to do. */
export interface Finding {
  readonly state: DestinationState;
  readonly cause: string | null;
  readonly fix: string | null;
}

/** The progress with another state; `since` moves only when the state does, not when its cause is measured anew. */
export function withFinding(progress: Progress, finding: Finding, now: number): Progress {
  const { state, since } = progress;
  return { ...progress, ...finding, since: finding.state === state ? since : now };
}

/** The state of a destination that is known to answer: before the first success it stays `pending` (design §9). */
export function answering(progress: Progress, warning: string | null = null): Finding {
  return { state: progress.lastSuccessAt === null ? 'pending' : 'connected', cause: warning, fix: null };
}

const LASTS = 'Nothing to do unless it lasts: delivery goes on by itself.';
const HELD_STATE = {
  credential: 'authentication_failed',
  permission: 'authentication_failed',
  tls: 'disconnected',
  address: 'disconnected',
  setting: 'misconfigured',
} as const;

/** How an outcome that is no verdict about events is shown (design §9 "States from outcomes"). */
export function findingOf(outcome: Exclude<Outcome, { kind: 'delivered' | 'refused' }>): Finding {
  switch (outcome.kind) {
    case 'retry':
      return outcome.cause === 'server'
        ? { state: 'retrying', cause: outcome.reason, fix: outcome.fix ?? LASTS }
        : {
            state: 'disconnected',
            cause: outcome.reason,
            fix: outcome.fix ?? 'Check that it is running and that your firewall allows our IP addresses.',
          };
    case 'throttled':
      return throttled(outcome.reason);
    case 'partial':
      return outcome.pause === 'throttled'
        ? throttled(outcome.reason)
        : { state: 'retrying', cause: outcome.reason, fix: LASTS };
    case 'misconfigured':
      return { state: HELD_STATE[outcome.cause], cause: outcome.reason, fix: outcome.fix };
    default:
      return outcome satisfies never;
  }
}

function throttled(cause: string): Finding {
  return { state: 'throttled', cause, fix: 'Delivery goes on by itself; if it lasts, raise the limit on its side.' };
}

/** Ten single events refused in a row with nothing delivered between: the settings are wrong, not the events. */
export function refusedInARow(count: number, reason: string): Finding {
  return {
    state: 'misconfigured',
    cause: `It refused ${count} events in a row and accepted none, the last with: ${reason}`,
    fix: 'Correct the settings that decide how it reads events (index, stream, log source, format). The refused events are kept and sent again; one of them is tried from time to time.',
  };
}

/** The destination could not even be opened: an unknown kind, or secrets that do not unseal. */
export function unopened(reason: string): Finding {
  return { state: 'misconfigured', cause: reason, fix: 'Open its settings, enter the credentials again and save.' };
}

/** A bug of ours ended the lane's session. */
export function internalError(): Finding {
  return { state: 'retrying', cause: 'Internal error in Trailproof; its log has the details.', fix: LASTS };
}

/** What a SIEM is to be sent cannot be read from the log as it was stored. */
export function logDamaged(): Finding {
  return {
    state: 'retrying',
    cause: 'What is to be sent is damaged in the log of Trailproof. Nothing is sent until it is repaired.',
    fix: 'Whoever runs Trailproof restores it from a backup; its own log and "trailproof doctor" say what is damaged.',
  };
}

/** What the audit log has been told of a destination's state, so that it hears of each state at most once a minute. */
export interface Told {
  /** The last state told. */
  readonly state: DestinationState;
  /** The last state seen. */
  readonly seen: DestinationState;
  /** When each state was last told, milliseconds. */
  readonly at: Readonly<Partial<Record<DestinationState, number>>>;
  /** Changes since something was last told. */
  readonly changes: number;
}

/** A change of state that the audit log is to be told. */
export interface StateChange {
  readonly previous: DestinationState;
  readonly finding: Finding;
  /** Changes before this one that were not told. */
  readonly suppressed: number;
}

const TELL_EVERY_MS = 60_000;

/** What to tell now, if anything. A change that comes too soon is owed and told later if the state still differs. */
export function tell(told: Told, progress: Progress, now: number): { told: Told; change: StateChange | null } {
  const { state, cause, fix } = progress;
  const changes = told.changes + (state === told.seen ? 0 : 1);
  const seen = { ...told, seen: state, changes };
  const due = tellDueAt(told, progress);
  if (due === null || now < due) return { told: changes === told.changes ? told : seen, change: null };
  return {
    told: { state, seen: state, at: { ...told.at, [state]: now }, changes: 0 },
    change: { previous: told.state, finding: { state, cause, fix }, suppressed: changes - 1 },
  };
}

/** When the present state is to be told; null when the audit log knows it. */
export function tellDueAt(told: Told, { state }: Progress): number | null {
  return state === told.state ? null : (told.at[state] ?? -Infinity) + TELL_EVERY_MS;
}
