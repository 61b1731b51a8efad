import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { NewEvent } from './logged-event.ts';
import type { CanonicalEvent } from './schema.ts';

/**
 * Serialises an event, once and for ever, in the fixed order of fields, and hashes its content. NUL and lone
 * surrogates, which databases and SIEMs refuse, become U+FFFD here, in keys too, and are counted.
 */
export function sealEvent(event: CanonicalEvent): NewEvent {
  const { changes, metadata, trailproof, context, id, eventType, eventCategory } = event;
  const known = JSON.stringify({
    timestamp: event.timestamp,
    id,
    version: event.version,
    eventType,
    eventCategory,
    status: event.status,
    description: event.description,
    failureReason: event.failureReason,
    actor: event.actor,
    target: event.target,
    context,
  });
  const json = joined(known, JSON.stringify({ changes, metadata, trailproof }));
  if (json.includes('\\u')) {
    const replaced = replaceUnstorable(json);
    if (replaced !== undefined) return sealEvent(replaced);
  }
  // Known fields have a fixed order, the producer's own have any; a clock mark depends on when the event arrived.
  const isCanonical = trailproof === undefined && isOrdered(changes) && isOrdered(metadata);
  const content = isCanonical
    ? json
    : joined(known, canonicalize({ changes, metadata, ...trailproof, clock: undefined }) ?? '{}');
  return {
    team: context.teamId,
    id,
    eventType,
    eventCategory,
    timestamp: Date.parse(event.timestamp),
    hash: hash('sha256', content, 'base64url'),
    json,
  };
}

/** Two JSON objects as one. */
function joined(known: string, more: string): string {
  return more === '{}' ? known : `${known.slice(0, -1)},${more.slice(1)}`;
}

/** True when JSON.stringify gives what canonicalize would, at less than half the cost: keys are in order at every level. */
function isOrdered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isOrdered);
  let last = '';
  for (const key in value) {
    if (key < last || !isOrdered((value as Record<string, unknown>)[key])) return false;
    last = key;
  }
  return true;
}

/** Undefined when nothing had to be replaced. JSON.stringify escapes exactly these characters, and a backslash. */
function replaceUnstorable(json: string): CanonicalEvent | undefined {
  let replacedCharacters = 0;
  const clean = json.replace(/\\\\|\\u(?:0000|d[89a-f]..)/g, (match) => {
    if (match === '\\\\') return match;
    replacedCharacters++;
    return '\ufffd';
  });
  if (replacedCharacters === 0) return undefined;
  const event: CanonicalEvent = JSON.parse(clean);
  return { ...event, trailproof: { ...event.trailproof, replacedCharacters } };
}
