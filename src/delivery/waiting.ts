import type { Clock } from '../clock.ts';
import type { DestinationLimits } from '../destinations/destination.ts';
import type { Sequence } from '../event/logged-event.ts';
import type { DestinationStore, StoredDestination } from '../store/destinations.ts';
import type { EventLog } from '../store/event-log.ts';
import { matches } from './filter.ts';
import { type Lane, pendingOf } from './lane.ts';

/** The times of an event that waits: its own and when it was appended, milliseconds since the epoch. */
export interface Waiting {
  readonly timestamp: number;
  readonly receivedAt: number;
}

interface Stores {
  readonly log: EventLog;
  readonly store: DestinationStore;
}

const PAGE = { events: 256, bytes: 1024 * 1024 };

/** The oldest event that waits for a destination: the log's, or a dead letter to be sent again. Reads the log lazily. */
export async function oldestWaiting(
  { log, store }: Stores,
  { id, team }: StoredDestination,
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

/** Looks at the age of the oldest waiting event of a destination that cannot send at the moment. */
export type AgeWatch = (
  stored: StoredDestination,
  lane: Lane,
) => Promise<{
  /** When to look again; null: there is nothing to watch. */
  readonly warnAt: number | null;
  /** To be told now; each time of trouble has one warning. */
  readonly warning: string | null;
}>;

export function ageWatch(deps: Stores & { readonly clock: Pick<Clock, 'now'> }): AgeWatch {
  let known: { readonly cursor: Sequence; readonly oldest: Waiting | null } | null = null;
  let hasWarned = false;
  return async (stored, lane) => {
    const { progress, limits, paused, failures } = lane;
    const isStuck = paused || progress.held || failures > 0;
    if (limits.maxAgeMs === undefined || !isStuck || pendingOf(progress) === 0) return { warnAt: null, warning: null };
    if (known?.cursor !== progress.cursor)
      known = { cursor: progress.cursor, oldest: await oldestWaiting(deps, stored, lane) };
    const { oldest } = known;
    const warning = ageWarning(oldest, limits, deps.clock.now());
    const isNew = warning !== null && !hasWarned;
    hasWarned = warning !== null;
    return { warnAt: oldest && warnAt(oldest, limits), warning: isNew ? warning : null };
  };
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

/** At four fifths of the SIEM's time window. Null: no window. */
function warnAt(oldest: Waiting, { maxAgeMs }: DestinationLimits): number | null {
  return maxAgeMs === undefined ? null : oldest.timestamp + maxAgeMs * 0.8;
}
