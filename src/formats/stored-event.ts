import type { Sequence } from '../event/logged-event.ts';
import { parseJson } from '../event/parse-json.ts';
import type { CanonicalEvent } from '../event/schema.ts';

/** An event's stored JSON, read: for formats that need its content. */
export type StoredEvent = CanonicalEvent & { readonly sequence: Sequence; readonly receivedAt: string };

/** Reads stored JSON, which was validated when it was accepted and has not changed since. */
export function parseStored(json: string): StoredEvent {
  return parseJson(json) as StoredEvent;
}
