import { plainEvent } from '../event/logged-event.ts';
import type { EventLog } from './event-log.ts';

/** A log as another thread can be given it: its events are objects of their own, and hold what they are asked for. */
export function sendable<Log extends Pick<EventLog, 'read' | 'find'>>(log: Log): Log {
  return {
    ...log,
    read: async (...asked) => (await log.read(...asked)).map(plainEvent),
    find: async (...asked) => {
      const event = await log.find(...asked);
      return event && plainEvent(event);
    },
  };
}
