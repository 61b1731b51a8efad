import type { DestinationLimits } from '../destinations/destination.ts';
import type { TeamId } from '../event/logged-event.ts';
import type { DestinationStore } from '../store/destinations.ts';
import type { EventLog } from '../store/event-log.ts';
import { matches } from './filter.ts';
import { type Lane, pendingOf } from './lane.ts';

/** The times of an event that waits: its own and when it was appended, milliseconds since the epoch. */
export interface Waiting {
  readonly timestamp: number;
  readonly receivedAt: number;
}

const PAGE = { events: 256, bytes: 1024 * 1024 };

/** The oldest event that waits for a destination: the log's, or a dead letter to be sent again. Reads the log lazily. */
export async function oldestWaiting(
  { log, store }: { readonly log: EventLog; readonly store: DestinationStore },
  { id, team }: { readonly id: string; readonly team: TeamId },
  lane: Lane,
): Promise<Waiting | null> {
  if (pendingOf(lane.progress) === 0) return null;
  const redriven = (await store.deadLetters(id, { limit: 1, redriving: true })).items[0];
  if (redriven) return redriven;
  const ahead = new Set(lane.progress.settledAhead);
  for (let after = lane.progress.cursor; after < lane.progress.scanned; ) {
    const events = await log.read(team, after, PAGE);
    const first = events.find((event) => !ahead.has(event.sequence) && matches(lane.filters, event));
    if (first || events.length === 0) return first ?? null;
    after = events.at(-1)!.sequence;
  }
  return null;
}

/** When the oldest waiting event deserves a warning: at four fifths of the SIEM's time window. Null: no window. */
export function warnAt(oldest: Waiting, { maxAgeMs }: DestinationLimits): number | null {
  return maxAgeMs === undefined ? null : oldest.timestamp + maxAgeMs * 0.8;
}

/** What to say of the oldest waiting event's age at `now`; null while there is nothing to say. */
export function ageWarning(oldest: Waiting | null, limits: DestinationLimits, now: number): string | null {
  const at = oldest && warnAt(oldest, limits);
  if (!oldest || at === null || now < at) return null;
  const leavesAt = oldest.timestamp + limits.maxAgeMs!;
  const when = new Date(leavesAt).toISOString();
  return now < leavesAt
    ? `The oldest waiting event leaves the time window of the SIEM at ${when}: delivered later, the SIEM may show it at another time or drop it.`
    : `The oldest waiting event left the time window of the SIEM at ${when}: the SIEM may show it at another time or drop it.`;
}
