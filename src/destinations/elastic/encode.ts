import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { BodyWriter, TIME_BYTES } from '../body-writer.ts';

/** Largest event as framed. Ingest takes none that large. */
export const EVENT_BYTES = 1_000_000;

/** What framing adds at most: the action line with an id of 128 characters, each escaped, and `@timestamp`. */
export const OVERHEAD_BYTES = '{"create":{"_id":""}}\n"@timestamp":,\n'.length + TIME_BYTES + 2 * 128;

/**
 * A bulk request body: per event an action line and a document line, each ended by a newline, the last one too. The
 * operation is `create`, the only one data streams take; with the event's id as `_id` a repeat is answered 409.
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export function encodeBulk(batch: readonly LoggedEvent[]): Buffer {
  const room = EVENT_BYTES - OVERHEAD_BYTES;
  const body = new BodyWriter(batch, OVERHEAD_BYTES);
  for (const event of batch) {
    const json = event.bytes > room ? (truncateEvent(event.json, room) ?? event) : event;
    body.timedJson(`{"create":{"_id":${JSON.stringify(event.id)}}}\n{"@timestamp":`, json);
    body.text('\n');
  }
  return body.finish();
}
