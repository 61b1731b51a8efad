import type { TeamId } from '../event/logged-event.ts';
import type { Progress, StoredDestination } from '../store/destinations.ts';
import { StorageDamaged } from '../store/event-log.ts';
import type { DeliveryTotals, EventDelivery, Health } from './delivery.ts';
import { matches } from './filter.ts';
import { type Lane, pendingOf } from './lane.ts';
import type { LaneDependencies, LaneLoop } from './lane-loop.ts';
import { ageWarning, oldestWaiting, type Waiting } from './waiting.ts';

/* What can be said of destinations, measured from their lanes and what they wrote down. */

const DAY_MS = 86_400_000;

/** How a destination stands; `lag.seconds` is the age, by receivedAt, of the oldest event that waits. */
export async function healthOf(
  { stored, lane }: LaneLoop,
  deps: Pick<LaneDependencies, 'log' | 'store' | 'clock'>,
): Promise<Health> {
  const now = deps.clock.now();
  const oldest = await oldestWaiting(deps, stored, lane).catch(unknownWhenDamaged);
  const { lastSuccessAt, lastError } = lane.progress;
  const counts = countsOf(lane.progress);
  return {
    ...shown(stored, lane.progress),
    nextAttemptAt: nextAttemptAt(lane, now),
    warning: ageWarning(oldest, lane.limits, now),
    lag: { events: counts.pending, seconds: oldest ? Math.max(0, Math.floor((now - oldest.receivedAt) / 1_000)) : 0 },
    counts,
    last24h: await deps.store.attemptTotals(stored.id, now - DAY_MS),
    ...{ lastSuccessAt, lastError },
  };
}

/** The lane says what is damaged; how old it is must not keep that from being said. */
function unknownWhenDamaged(error: unknown): Waiting | null {
  if (error instanceof StorageDamaged) return null;
  throw error;
}

/** Where one event stands at each of these destinations; undefined when its team's log does not have it. */
export async function deliveriesOf(
  loops: readonly LaneLoop[],
  { log, store }: Pick<LaneDependencies, 'log' | 'store'>,
  team: TeamId,
  id: string,
): Promise<readonly EventDelivery[] | undefined> {
  const event = await log.find(team, id);
  if (!event) return undefined;
  const { sequence } = event;
  return Promise.all(
    loops.map(async ({ stored, lane: { progress } }) => {
      const { name, kind } = stored;
      const at = { destination: stored.id, name, kind, attempt: null, reason: null };
      if (sequence <= stored.startAfter) return { ...at, status: 'before_start' };
      if (!matches(stored.filters, event)) return { ...at, status: 'filtered' };
      const letter = await store.deadLetter(stored.id, id);
      if (letter) return { ...at, status: letter.redriving ? 'pending' : 'dead_letter', reason: letter.reason };
      if (sequence > progress.cursor && !progress.settledAhead.includes(sequence)) return { ...at, status: 'pending' };
      return { ...at, status: 'delivered', attempt: (await store.attemptFor(stored.id, sequence)) ?? null };
    }),
  );
}

/** Sums by kind and state. */
export function totalsOf(loops: readonly LaneLoop[]): readonly DeliveryTotals[] {
  const totals = new Map<string, DeliveryTotals>();
  for (const { stored, lane } of loops) {
    const { kind } = stored;
    const { state } = shown(stored, lane.progress);
    const sum = totals.get(`${kind} ${state}`);
    const counts = countsOf(lane.progress);
    totals.set(`${kind} ${state}`, {
      ...{ kind, state, destinations: (sum?.destinations ?? 0) + 1 },
      matched: counts.matched + (sum?.matched ?? 0),
      filtered: counts.filtered + (sum?.filtered ?? 0),
      delivered: counts.delivered + (sum?.delivered ?? 0),
      deadLettered: counts.deadLettered + (sum?.deadLettered ?? 0),
      pending: counts.pending + (sum?.pending ?? 0),
    });
  }
  return [...totals.values()];
}

/** A pause hides the state under it, which comes back when a person resumes. */
function shown({ paused }: StoredDestination, { state, since, cause, fix }: Progress) {
  if (!paused) return { state, since, cause, fix };
  return {
    state: 'paused',
    since: paused.at,
    cause: `Paused by ${paused.by}`,
    fix: 'Resume it; events are kept until then.',
  } as const;
}

function countsOf(progress: Progress): Health['counts'] {
  const { matched, filtered, delivered, deadLettered } = progress;
  return { matched, filtered, delivered, deadLettered, pending: pendingOf(progress) };
}

function nextAttemptAt({ paused, waitUntil }: Lane, now: number): number | null {
  return !paused && waitUntil > now ? waitUntil : null;
}
