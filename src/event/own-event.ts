import { randomUUIDv7 } from 'node:crypto';
import { categoryOf } from './catalogue.ts';
import type { NewEvent, TeamId } from './logged-event.ts';
import { sealEvent } from './seal.ts';

/** The reserved team of events that concern no team: the installation's own log. */
export const INSTALLATION_TEAM: TeamId = '_installation';

/** Something Trailproof itself did or saw. Never holds a secret. */
export interface OwnEvent {
  team: TeamId;
  /** Default: a new UUIDv7. One that follows from what happened keeps the log from taking it twice. */
  id?: string;
  /** A type of the catalogue; its category comes from there. */
  eventType: string;
  /** Default `success`. */
  status?: 'success' | 'failure';
  failureReason?: string;
  actor: { id: string; type: 'user' | 'service' | 'system'; name?: string; email?: string };
  target?: { type: string; id: string; name?: string };
  description: string;
  changes?: { previous?: Record<string, unknown>; current?: Record<string, unknown> };
  metadata?: Record<string, unknown>;
  context?: { ipAddress?: string; userAgent?: string; sessionId?: string; requestId?: string };
  /** Milliseconds since the epoch. */
  at: number;
}

/** An event of our own, ready to append. Throws when the catalogue does not know its type. */
export function ownEvent(event: OwnEvent): NewEvent {
  const eventCategory = categoryOf(event.eventType);
  if (eventCategory === undefined) throw new Error(`event type not in the catalogue: ${event.eventType}`);
  return sealEvent({
    timestamp: new Date(event.at).toISOString(),
    id: event.id ?? randomUUIDv7(),
    version: '1.0',
    eventType: event.eventType,
    eventCategory,
    status: event.status ?? 'success',
    description: event.description,
    failureReason: event.failureReason,
    actor: event.actor,
    target: event.target,
    context: { teamId: event.team, ...event.context },
    changes: event.changes,
    metadata: event.metadata,
  });
}
