import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { NewEvent } from './logged-event.ts';
import type { CanonicalEvent } from './schema.ts';

/** Serialises a canonical event, once and for ever, in the fixed order of fields, and hashes its content. */
export function sealEvent(event: CanonicalEvent): NewEvent {
  const { changes, metadata, trailproof } = event;
  const known = JSON.stringify({
    timestamp: event.timestamp,
    id: event.id,
    version: event.version,
    eventType: event.eventType,
    eventCategory: event.eventCategory,
    status: event.status,
    description: event.description,
    failureReason: event.failureReason,
    actor: event.actor,
    target: event.target,
    context: event.context,
  }).slice(0, -1);
  const free = JSON.stringify({ changes, metadata, trailproof }).slice(1);
  const canonical = canonicalize({ changes, metadata, trailproof: { ...trailproof, clock: undefined } });
  return {
    team: event.context.teamId,
    id: event.id,
    eventType: event.eventType,
    eventCategory: event.eventCategory,
    timestamp: Date.parse(event.timestamp),
    hash: hash('sha256', known + canonical, 'base64url'),
    json: known + (free === '}' ? free : `,${free}`),
  };
}
