import type { NewEvent } from '../event/logged-event.ts';
import type { StoredDestination } from '../store/destinations.ts';
import type { DestinationChange } from './delivery.ts';
import { withFilter } from './filter.ts';
import { nudged } from './lane.ts';
import type { LaneDependencies, LaneLoop } from './lane-loop.ts';
import { redrive } from './verdict.ts';

/*
 * What people ask of a destination. Each change is made in a turn of its lane's loop: durable first, then in effect;
 * what is in flight meanwhile ends and settles as it would have.
 */

type Stores = Pick<LaneDependencies, 'log' | 'store' | 'onStateChanged'>;
type Audit = readonly NewEvent[];

/** Dead letters marked in one transaction. */
const MARKED_AT_ONCE = 200;

export function pause(loop: LaneLoop, deps: Stores, by: string, at: number, audit: Audit): Promise<void> {
  return loop.turn(async () => {
    if (loop.stored.paused) return;
    await keep(loop, deps.store, { ...loop.stored, paused: { by, at } }, audit);
    loop.lane = { ...loop.lane, paused: true };
    deps.onStateChanged?.(loop.stored.id);
  });
}

export function resume(loop: LaneLoop, deps: Stores, audit: Audit): Promise<void> {
  return loop.turn(async () => {
    if (!loop.stored.paused) return;
    await keep(loop, deps.store, { ...loop.stored, paused: null }, audit);
    loop.lane = nudged({ ...loop.lane, paused: false });
    deps.onStateChanged?.(loop.stored.id);
  });
}

/** A filter takes effect at the next sequence: nothing is counted between looking up which that is and keeping it. */
export function edit(
  loop: LaneLoop,
  { log, store }: Stores,
  { filter, ...change }: DestinationChange,
  audit: Audit,
): Promise<StoredDestination> {
  return loop.turn(async () => {
    const { stored, lane } = loop;
    let { filters } = stored;
    if (filter) {
      const { last } = await log.bounds(stored.team);
      const { categories: seen } = await log.vocabulary(stored.team);
      const { cursor, scanned } = lane.progress;
      filters = withFilter(filters, filter, { fromSequence: Math.max(last, scanned) + 1, cursor, seen });
    }
    const edited = { ...stored, ...change, filters };
    await keep(loop, store, edited, audit);
    loop.lane = nudged({ ...loop.lane, filters, parallel: edited.parallel, lingerMs: edited.lingerMs });
    if (change.settings || change.sealed) loop.reopen();
    return edited;
  });
}

/** Marks dead letters to be sent again: all, or those of these event ids. Returns how many were found. */
export async function redriveDeadLetters(
  loop: LaneLoop,
  { store }: Stores,
  ids: readonly string[] | null,
  audit: Audit,
): Promise<number> {
  const { id } = loop.stored;
  const mark = async (found: readonly string[], isFirst: boolean): Promise<void> => {
    if (found.length === 0) return;
    const { lane, effects } = redrive(loop.lane, found);
    loop.lane = lane;
    await loop.commit(effects, isFirst ? { audit } : {});
  };
  if (ids)
    return loop.turn(async () => {
      const letters = await Promise.all([...new Set(ids)].map((event) => store.deadLetter(id, event)));
      const found = letters.filter((letter) => letter && !letter.redriving).map((letter) => letter!.id);
      await mark(found, true);
      return found.length;
    });
  let count = 0;
  for (let cursor: string | null | undefined; cursor !== null; )
    cursor = await loop.turn(async () => {
      const options = { limit: MARKED_AT_ONCE, redriving: false, ...(cursor && { cursor }) };
      const { items, nextCursor } = await store.deadLetters(id, options);
      await mark(
        items.map((letter) => letter.id),
        count === 0,
      );
      count += items.length;
      return nextCursor;
    });
  return count;
}

async function keep(loop: LaneLoop, store: Stores['store'], stored: StoredDestination, audit: Audit): Promise<void> {
  await store.update(stored, audit);
  loop.stored = stored;
}
