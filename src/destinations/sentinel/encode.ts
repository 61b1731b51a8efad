import { LATE_BYTES, markLate } from '../../event/late.ts';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { parseJson } from '../../event/parse-json.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { BodyWriter, type EventJson, TIME_BYTES } from '../body-writer.ts';
import type { Encoded } from '../unfit.ts';

/**
 * Of an older event Azure replaces `TimeGenerated` by the time of receipt; its own time stays in `timestamp`.
 * https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns
 */
export const WINDOW_MS = 2 * 86_400_000;

/** Azure Monitor cuts a longer column anywhere. https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits */
const COLUMN_BYTES = 65_536;

/** What framing adds at most to one event: `TimeGenerated`, the mark of a late one, and for the first the brackets, for others a comma. */
export const OVERHEAD_BYTES = '"TimeGenerated":,[]'.length + TIME_BYTES + LATE_BYTES;

/**
 * A Logs Ingestion body: always a JSON array, because an object is answered 204 and stored nowhere
 * (Azure/azure-sdk-for-python#32562). The event's own fields are the columns, `TimeGenerated` the one every table has;
 * Azure replaces one older than `WINDOW_MS`, so such an event is marked as late.
 * https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 */
export function encodeRows(batch: readonly LoggedEvent[], now: number): Encoded {
  const body = new BodyWriter(batch, OVERHEAD_BYTES);
  const unfit: string[] = [];
  let opening = '[{"TimeGenerated":';
  for (const event of batch) {
    const json = fitColumns(event.timestamp < now - WINDOW_MS ? markLate(event.json) : event);
    if (json === null) {
      unfit.push(event.id);
      continue;
    }
    body.timedJson(opening, json);
    opening = ',{"TimeGenerated":';
  }
  body.text(body.isEmpty ? '[]' : ']');
  return { body: body.finish(), unfit };
}

/**
 * The event's JSON, cut and marked if one of its columns would be cut unmarked; null when it cannot be. Only events that
 * could be concerned are parsed.
 */
function fitColumns(json: EventJson): EventJson | null {
  const bytes = typeof json === 'string' ? Buffer.byteLength(json) : json.bytes;
  if (bytes <= COLUMN_BYTES) return json;
  const text = typeof json === 'string' ? json : json.json;
  const columns = parseJson(text) as object;
  const isOver = (column: unknown): boolean => Buffer.byteLength(JSON.stringify(column)) > COLUMN_BYTES;
  return Object.values(columns).some(isOver) ? truncateEvent(text, COLUMN_BYTES) : json;
}
