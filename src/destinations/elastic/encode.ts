import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';

/** Place of the quoted time in an event's JSON, which begins `{"timestamp":"YYYY-MM-DDTHH:MM:SS.mmmZ"`. */
const TIME_START = 13;
const TIME_END = 39;

/** Largest event as framed. Ingest takes none that large. */
export const EVENT_BYTES = 1_000_000;

/** What framing adds at most: the action line with an id of 128 characters, each escaped, and `@timestamp`. */
export const OVERHEAD_BYTES = '{"create":{"_id":""}}\n"@timestamp":,\n'.length + (TIME_END - TIME_START) + 2 * 128;

/**
 * A bulk request body: per event an action line and a document line, each ended by a newline, the last one too. The
 * operation is `create`, the only one data streams take; with the event's id as `_id` a repeat is answered 409.
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export function encodeBulk(batch: readonly LoggedEvent[]): string {
  let body = '';
  for (const event of batch) {
    const json = cutToSize(event);
    body += `{"create":{"_id":${JSON.stringify(event.id)}}}\n{"@timestamp":${json.slice(TIME_START, TIME_END)},${json.slice(1)}\n`;
  }
  return body;
}

function cutToSize({ json, bytes }: LoggedEvent): string {
  const room = EVENT_BYTES - OVERHEAD_BYTES;
  return bytes > room ? (truncateEvent(json, room) ?? json) : json;
}
