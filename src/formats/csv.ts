import { stringify } from 'csv-stringify/sync';
import { parseStored, type StoredEvent } from './stored-event.ts';

/**
 * Events as CSV (RFC 4180, CRLF) for spreadsheets. No cell can be taken for a formula (OWASP, "CSV Injection"): one
 * that would begin like a formula begins with an apostrophe, which spreadsheets hide.
 */

/** The header row. */
export function csvHeader(): string {
  return rows([COLUMNS.map(([name]) => name)]);
}

/** One row per event of stored JSON, in the order given; the empty string for none. */
export function csvRows(jsons: readonly string[]): string {
  return rows(
    jsons.map((json) => {
      const event = parseStored(json);
      return COLUMNS.map(([, value]) => value(event));
    }),
  );
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

/**
 * `escape_formulas` covers a first `= + - @`, their full-width forms, tab and carriage return. Added here: a first line
 * feed, and a formula behind spaces or invisible characters, which some programs trim when they import.
 */
const HIDDEN_FORMULA = /^(?:\n|[\s\p{Cc}\p{Cf}]+[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/u;

function rows(cells: unknown[][]): string {
  return stringify(cells, {
    escape_formulas: true,
    record_delimiter: 'windows',
    // Naming the record delimiter would otherwise leave a lone line feed within a cell unquoted.
    quote_record_delimiter: true,
    cast: { string: (text) => (HIDDEN_FORMULA.test(text) ? `'${text}` : text) },
  });
}
