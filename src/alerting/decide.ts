import type { Alerted } from '../store/alerts.ts';
import type { DestinationState } from '../store/destinations.ts';

/** What a look at a destination leads to. `wait`: nothing before `until` (milliseconds), unless the state changes. */
export type Decision =
  | { readonly do: 'nothing' }
  | { readonly do: 'tell' }
  | { readonly do: 'wait'; readonly until: number };

/** A state is told at most once in this time. */
export const TELL_EVERY_MS = 15 * 60_000;

/**
 * How long a destination must be unwell before the state is told: amber states mostly end by themselves. A state that
 * is absent here says nothing about health (new, or paused by a person) and is never told.
 */
const PATIENCE_MS: Readonly<Partial<Record<DestinationState, number>>> = {
  connected: 0,
  disconnected: 0,
  authentication_failed: 0,
  misconfigured: 0,
  retrying: 5 * 60_000,
  throttled: 5 * 60_000,
};

/** Whether the destination does not do its work in this state, other than by a person's wish. */
export function isBad(state: DestinationState): boolean {
  return state !== 'connected' && PATIENCE_MS[state] !== undefined;
}

/**
 * Compares the present state with the one told last, so that changes that were missed need not be known: recovery is
 * told when, and only when, a bad state was. `since`: when the destination became well or unwell, whatever states it
 * went through meanwhile.
 */
export function decide(
  { state, since }: { readonly state: DestinationState; readonly since: number },
  alerted: Alerted | undefined,
  now: number,
): Decision {
  const patience = PATIENCE_MS[state];
  if (patience === undefined || state === (alerted?.state ?? 'connected')) return { do: 'nothing' };
  // A time that is still to come was written before the clock was set back: it says nothing.
  const toldAt = alerted?.toldAt[state] ?? -Infinity;
  const until = Math.max(Math.min(since, now) + patience, toldAt > now ? -Infinity : toldAt + TELL_EVERY_MS);
  return now < until ? { do: 'wait', until } : { do: 'tell' };
}
