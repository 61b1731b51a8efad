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
  const free = JSON.stringify({ changes, metadata, trailproof });
  const json = free === '{}' ? known : `${known.slice(0, -1)},${free.slice(1)}`;
  if (json.includes('\\u')) {
    const replaced = replaceUnstorable(json);
    if (replaced !== undefined) return sealEvent(replaced);
  }
  // The order of known fields is fixed, that of the producer's own is not; a clock mark depends on when it arrived.
  const content = free === '{}' ? free : canonicalize({ changes, metadata, ...trailproof, clock: undefined });
  return {
    team: context.teamId,
    id,
    eventType,
    eventCategory,
    timestamp: Date.parse(event.timestamp),
    hash: hash('sha256', known + content, 'base64url'),
    json,
  };
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
