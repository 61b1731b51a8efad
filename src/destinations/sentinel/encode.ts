import { LATE_BYTES, markLate } from '../../event/late.ts';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { parseJson } from '../../event/parse-json.ts';
import { truncateEvent } from '../../event/truncate.ts';
import type { Encoded } from '../unfit.ts';

/** Place of the quoted time in an event's JSON, which begins `{"timestamp":"YYYY-MM-DDTHH:MM:SS.mmmZ"`. */
const TIME_START = 13;
const TIME_END = 39;

/**
 * Of an older event Azure replaces `TimeGenerated` by the time of receipt; its own time stays in `timestamp`.
 * https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns
 */
export const WINDOW_MS = 2 * 86_400_000;

/** Azure Monitor cuts a longer column anywhere. https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits */
const COLUMN_BYTES = 65_536;

/** What framing adds at most to one event: `TimeGenerated`, the mark of a late one, and for the first the brackets, for others a comma. */
export const OVERHEAD_BYTES = '"TimeGenerated":,[]'.length + (TIME_END - TIME_START) + LATE_BYTES;

/**
 * A Logs Ingestion body: always a JSON array, because an object is answered 204 and stored nowhere
 * (Azure/azure-sdk-for-python#32562). The event's own fields are the columns, `TimeGenerated` the one every table has;
 * Azure replaces one older than `WINDOW_MS`, so such an event is marked as late.
 * https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 */
export function encodeRows(batch: readonly LoggedEvent[], now: number): Encoded {
  const rows: string[] = [];
  const unfit: string[] = [];
  for (const event of batch) {
    const json = fitColumns(event.timestamp < now - WINDOW_MS ? late(event) : event);
    if (json === null) unfit.push(event.id);
    else rows.push(`{"TimeGenerated":${json.slice(TIME_START, TIME_END)},${json.slice(1)}`);
  }
  return { body: `[${rows.join(',')}]`, unfit };
}

function late(event: LoggedEvent): LoggedEvent {
  const json = markLate(event.json);
  return { ...event, json, bytes: Buffer.byteLength(json) };
}

/**
 * The event's JSON, cut and marked if one of its columns would be cut unmarked; null when it cannot be. Only events that
 * could be concerned are parsed.
 */
function fitColumns({ json, bytes }: LoggedEvent): string | null {
  if (bytes <= COLUMN_BYTES) return json;
  const columns = parseJson(json) as object;
  const isOver = (column: unknown): boolean => Buffer.byteLength(JSON.stringify(column)) > COLUMN_BYTES;
  return Object.values(columns).some(isOver) ? truncateEvent(json, COLUMN_BYTES) : json;
}
