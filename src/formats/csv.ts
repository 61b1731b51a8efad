import { parseStored, type StoredEvent } from './stored-event.ts';

/**
 * Events as CSV (RFC 4180, CRLF) for spreadsheets. No cell can be taken for a formula (OWASP, "CSV Injection"): one
 * that would begin like a formula begins with an apostrophe, which spreadsheets hide.
 */

/** The header row. */
export function csvHeader(): string {
  return rowOf(COLUMNS.map(([name]) => name));
}

/** One row per event of stored JSON, in the order given; the empty string for none. */
export function csvRows(jsons: readonly string[]): string {
  let rows = '';
  for (const json of jsons) {
    const event = parseStored(json);
    rows += rowOf(COLUMNS.map(([, value]) => value(event)));
  }
  return rows;
}

const COLUMNS: readonly (readonly [name: string, value: (event: StoredEvent) => unknown])[] = [
  ['timestamp', (e) => e.timestamp],
  ['sequence', (e) => e.sequence],
  ['id', (e) => e.id],
  ['eventType', (e) => e.eventType],
  ['eventCategory', (e) => e.eventCategory],
  ['status', (e) => e.status],
  ['failureReason', (e) => e.failureReason],
  ['description', (e) => e.description],
  ['actorId', (e) => e.actor?.id],
  ['actorEmail', (e) => e.actor?.email],
  ['actorName', (e) => e.actor?.name],
  ['actorType', (e) => e.actor?.type],
  ['targetType', (e) => e.target?.type],
  ['targetId', (e) => e.target?.id],
  ['targetName', (e) => e.target?.name],
  ['ipAddress', (e) => e.context.ipAddress],
  ['userAgent', (e) => e.context.userAgent],
  ['sessionId', (e) => e.context.sessionId],
  ['requestId', (e) => e.context.requestId],
  ['teamId', (e) => e.context.teamId],
  ['receivedAt', (e) => e.receivedAt],
  ['changes', (e) => e.changes],
  ['metadata', (e) => e.metadata],
  ['trailproof', (e) => e.trailproof],
];

/** What a program may take for a formula: full-width signs too, and what comes behind characters it trims on import. */
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/u;
const QUOTED = /[",\r\n]/;

function rowOf(cells: readonly unknown[]): string {
  return `${cells.map(cellOf).join()}\r\n`;
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  let text = typeof value === 'string' ? value : JSON.stringify(value);
  if (FORMULA.test(text)) text = `'${text}`;
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
