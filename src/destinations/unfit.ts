import type { Outcome } from './destination.ts';

/** What a batch became in a SIEM's format. */
export interface Encoded {
  readonly body: Buffer;
  /** Ids of events that cannot be cut to what the SIEM takes; they are not in the body. */
  readonly unfit: readonly string[];
}

/**
 * Sends what is left of a batch of `events` without the unfit ones, and adds the verdict about those: refused, but only
 * once the others were taken, so that an outage is never told as a verdict about half a batch.
 */
export async function sendFitting(
  unfit: readonly string[],
  events: number,
  reason: string,
  send: () => Promise<Outcome>,
): Promise<Outcome> {
  const outcome: Outcome = unfit.length === events ? { kind: 'delivered' } : await send();
  if (unfit.length === 0 || outcome.kind !== 'delivered') return outcome;
  const { kind: _, warning: __, ...evidence } = outcome;
  return { kind: 'partial', rejected: unfit.map((id) => ({ id, reason })), again: [], reason, ...evidence };
}
