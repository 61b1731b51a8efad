import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { NewEvent } from './logged-event.ts';
import { parseJson } from './parse-json.ts';
import type { CanonicalEvent } from './schema.ts';

/** In base64url: 132 bits, that of two contents with the same id none is taken for the other. */
const HASH_LENGTH = 22;

/**
 * Serialises an event, once and for ever, and hashes its content. `event` has its fields in the order of the schema.
 * NUL and lone surrogates, which databases and SIEMs refuse, become U+FFFD here, in keys too, and are counted.
 */
export function sealEvent(event: CanonicalEvent): NewEvent {
  const json = JSON.stringify(event);
  const replaced = json.includes('\\u') ? replaceUnstorable(json) : undefined;
  if (replaced !== undefined) return sealEvent(replaced);
  const { id, eventType, eventCategory } = event;
  return {
    team: event.context.teamId,
    id,
    eventType,
    eventCategory,
    timestamp: Date.parse(event.timestamp),
    hash: hashOf(contentOf(event, json)),
    json,
  };
}

/** Bytes: UTF-8. */
export function hashOf(content: string | Uint8Array): string {
  return hash('sha256', content, 'base64url').slice(0, HASH_LENGTH);
}

/** What is hashed: known fields have a fixed order, the producer's own any; a clock mark says when the event arrived. */
function contentOf({ changes, metadata, trailproof }: CanonicalEvent, json: string): string {
  if (trailproof === undefined && isOrdered(changes) && isOrdered(metadata)) return json;
  const known = json.slice(0, -JSON.stringify({ changes, metadata, trailproof }).length);
  const free = canonicalize({ changes, metadata, ...trailproof, clock: undefined }) ?? '';
  return free === '{}' ? `${known}}` : `${known},${free.slice(1)}`;
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
  const event = parseJson(clean) as CanonicalEvent;
  return { ...event, trailproof: { ...event.trailproof, replacedCharacters } };
}
