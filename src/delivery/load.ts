import type { DestinationLimits } from '../destinations/destination.ts';
import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import type { DeadLetter, DestinationStore, Replay, StoredDestination } from '../store/destinations.ts';
import type { EventLog } from '../store/event-log.ts';
import { matches, passes, versionAt } from './filter.ts';
import { type Batch, type Lane, probeOf, REFUSED_IN_A_ROW } from './lane.ts';

/** Dead letters loaded at once; each carries its event. */
const DEAD_LETTERS_AT_ONCE = 200;

/** Events after `after`, at most one batch of them; `more`: there may be further ones. */
export async function readBatch(
  log: EventLog,
  { team }: StoredDestination,
  after: Sequence,
  { batchEvents, batchBytes }: DestinationLimits,
): Promise<{ events: readonly LoggedEvent[]; more: boolean }> {
  const events = await log.read(team, after, { events: batchEvents, bytes: batchBytes });
  // Wrongly no is harmless: `waitForMore` then resolves at once.
  const isWhole = events.length >= batchEvents || 2 * events.reduce((sum, { bytes }) => sum + bytes, 0) >= batchBytes;
  return { events, more: isWhole };
}

/** The first dead letters that are to be sent again, from their own copies: the log may have let go of them. */
export async function readRedriving(
  store: DestinationStore,
  { id, team }: StoredDestination,
  limit = DEAD_LETTERS_AT_ONCE,
): Promise<readonly LoggedEvent[]> {
  const { items } = await store.deadLetters(id, { limit, redriving: true });
  return items.map((letter) => toEvent(letter, team));
}

/** What `probeOf` chooses from: the first of what waits, and the events the rule of ten took back. */
export async function readProbe(
  { log, store }: { readonly log: EventLog; readonly store: DestinationStore },
  stored: StoredDestination,
  { checks, progress, filters, limits }: Lane,
): Promise<Batch | null> {
  const refused = await readRedriving(store, stored, REFUSED_IN_A_ROW);
  const ahead = new Set(progress.settledAhead);
  const { events } = await readBatch(log, stored, progress.cursor, limits);
  const waiting = events.filter((event) => !ahead.has(event.sequence) && matches(filters, event));
  return probeOf(checks, waiting, refused);
}

/** The replay's next events that pass the present filter, read up to `through`. */
export async function readReplay(
  log: EventLog,
  stored: StoredDestination,
  { cursor, through }: Replay,
  limits: DestinationLimits,
): Promise<{ events: readonly LoggedEvent[]; through: Sequence }> {
  const filter = versionAt(stored.filters, Infinity);
  const { events } = await readBatch(log, stored, cursor, limits);
  const last = events.at(-1)?.sequence ?? through;
  return {
    events: events.filter((event) => event.sequence <= through && passes(filter, event)),
    through: Math.min(last, through),
  };
}

/** The replay that is first in line. */
export async function runningReplay(store: DestinationStore, id: string): Promise<Replay | null> {
  return (await store.replays(id)).findLast(({ status }) => status === 'running') ?? null;
}

function toEvent(letter: DeadLetter, team: string): LoggedEvent {
  const { id, sequence, eventType, eventCategory, timestamp, receivedAt, json } = letter;
  return { team, id, sequence, eventType, eventCategory, timestamp, receivedAt, json, bytes: Buffer.byteLength(json) };
}
