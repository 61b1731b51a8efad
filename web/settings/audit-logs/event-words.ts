import type { StoredEvent } from '../../../src/contract/events.ts';
import { day } from './filter-words.ts';

/** Who acted, by the name people know them by. */
export function actorOf({ actor }: StoredEvent): string {
  return actor?.email ?? actor?.name ?? actor?.id ?? (actor?.type === 'system' ? 'System' : 'Unknown');
}

export function targetOf({ target }: StoredEvent): string | undefined {
  return target?.name ?? target?.id;
}

export function reasonOf({ failureReason }: StoredEvent): string | undefined {
  return failureReason?.replaceAll('_', ' ');
}

/** 10:42:07, with its day where that is not today's; UTC. */
export function rowTime(at: string, now: number): string {
  const isToday = at.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return `${isToday ? '' : `${day(at, now)} `}${at.slice(11, 19)}`;
}
