import type { Outcome } from '../destinations/destination.ts';
import type { LoggedEvent } from '../event/logged-event.ts';
import type { Attempt } from '../store/destinations.ts';

/** What was sent when, measured by the loop. */
export interface Measured {
  readonly kind: Attempt['kind'];
  readonly events: readonly LoggedEvent[];
  /** How many of them the SIEM accepted. */
  readonly delivered: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
  readonly bytes: number;
}

/** The row of the attempts list for one send or check. */
export function attemptOf({ kind, events, delivered, at, durationMs, bytes }: Measured, outcome: Outcome): Attempt {
  return {
    ...{ kind, at, durationMs, bytes, delivered },
    // Events are in sequence order, in which receivedAt never decreases.
    lagMs: events[0] ? Math.max(0, at - events[0].receivedAt) : null,
    events: events.length,
    firstSequence: events[0]?.sequence ?? 0,
    lastSequence: events.at(-1)?.sequence ?? 0,
    outcome: outcome.kind,
    status: outcome.status ?? null,
    reason: outcome.kind === 'delivered' ? (outcome.warning ?? null) : outcome.reason,
    answer: outcome.answer ?? null,
  };
}

/** A bug of ours, met while sending or checking: nothing is known to be wrong with events or settings. */
export const INTERNAL_ERROR: Outcome = {
  kind: 'retry',
  cause: 'server',
  reason: 'internal error in Trailproof; its log has the details',
  uncertain: true,
};
