import { type LoggedEvent, type NewEvent, plainEvent, type TeamId } from '../event/logged-event.ts';
import type { EventLog } from './event-log.ts';
import type { Store } from './store.ts';

/** What the cases of the suite work with; made anew for each. */
export interface StoreFixture {
  store: Store;
  /** Milliseconds since the epoch: the store's clock shows it. */
  now: number;
  reopen(): Promise<void>;
}

/** 2026-01-15T12:00:00.000Z. */
export const NOON = 1_768_478_400_000;

/** An event as ingest would make it; `content` makes events of the same id differ. */
export function newEvent(team: TeamId, id: string, content = '', more: Partial<NewEvent> = {}): NewEvent {
  return {
    team,
    id,
    eventType: 'user.created',
    eventCategory: 'user_management',
    timestamp: NOON,
    hash: `hash of ${id} ${content}`,
    json: `{"timestamp":"2026-01-15T12:00:00.000Z","id":"${id}","description":"${content}"}`,
    ...more,
  };
}

/** `count` events with ids `<prefix>1`, `<prefix>2` … */
export function newEvents(team: TeamId, count: number, prefix = 'event-'): NewEvent[] {
  return Array.from({ length: count }, (_, index) => newEvent(team, `${prefix}${index + 1}`));
}

/** Everything the team's log holds, as plain data: stores may make the JSON only when it is asked for. */
export async function readAll(log: Pick<EventLog, 'read'>, team: TeamId, after = 0): Promise<LoggedEvent[]> {
  const all: LoggedEvent[] = [];
  for (;;) {
    const events = await log.read(team, all.at(-1)?.sequence ?? after, { events: 100, bytes: 1_000_000 });
    if (events.length === 0) return all;
    all.push(...events.map(plainEvent));
  }
}

/** 1 … n. */
export function countTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}
