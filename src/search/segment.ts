import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import type { CanonicalEvent } from '../event/schema.ts';
import { type Condition, FIELDS, type FieldName, formOf } from './match.ts';

/**
 * A segment is the index of up to 4,096 consecutive events of one team, by column: for each field the distinct values in
 * normal form, and for each event which of them it has. It is written once and answers any filter by itself.
 */
export interface Segment {
  readonly first: Sequence;
  readonly last: Sequence;
  /** Least and greatest event time in it, milliseconds. */
  readonly earliest: number;
  readonly latest: number;
  /** Id of its last event: tells whether the index belongs to this log. */
  readonly lastId: string;
  /** In the order of COLUMNS. */
  readonly columns: readonly Uint8Array[];
}

const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
/** What a segment keeps, in this order: a change of it needs a new version of the index file. */
export const COLUMNS = [...FIELD_NAMES, 'time'] as const;
export type ColumnName = (typeof COLUMNS)[number];

export const SEGMENT_EVENTS = 4096;
/** A segment ends early here, so that events with long texts do not fill memory. Characters. */
const SEGMENT_TEXT = 8 * 1024 * 1024;

/** Collects consecutive events, oldest first, for one segment. */
export function startSegment(): {
  add(event: LoggedEvent): void;
  isFull(): boolean;
  /** At least one event must have been added. */
  finish(): Segment;
} {
  const fields = FIELD_NAMES.map((name) => ({
    name,
    codeOf: new Map<string, number>(),
    forms: [] as string[],
    codes: new Uint16Array(SEGMENT_EVENTS),
  }));
  const times: number[] = [];
  let text = 0;
  let last: LoggedEvent | undefined;
  return {
    add(event) {
      const parsed = JSON.parse(event.json) as CanonicalEvent;
      for (const field of fields) {
        const value = FIELDS[field.name].of(parsed);
        if (value === undefined) continue;
        let code = field.codeOf.get(value);
        if (code === undefined) {
          const form = formOf(field.name, value);
          code = form === undefined ? 0 : field.forms.push(form);
          field.codeOf.set(value, code);
          text += value.length;
        }
        field.codes[times.length] = code;
      }
      times.push(event.timestamp);
      last = event;
    },
    isFull: () => times.length === SEGMENT_EVENTS || text >= SEGMENT_TEXT,
    finish() {
      const earliest = times.reduce((a, b) => Math.min(a, b));
      const latest = times.reduce((a, b) => Math.max(a, b));
      return {
        first: last!.sequence - times.length + 1,
        last: last!.sequence,
        earliest,
        latest,
        lastId: last!.id,
        columns: [
          ...fields.map(({ codes, forms }) => encodeColumn(codes.subarray(0, times.length), forms)),
          encodeTimes(times, earliest, latest),
        ],
      };
    },
  };
}

/** One mark per event, 1 where every condition holds. */
export function markMatches(
  events: number,
  conditions: readonly Condition[],
  column: (name: ColumnName) => Uint8Array,
): Uint8Array {
  const marks = new Uint8Array(events).fill(1);
  for (const clauses of conditions) {
    const held = new Uint8Array(events);
    for (const { field, needles } of clauses) {
      const { codes, text } = decodeColumn(column(field), events);
      const wanted = findValues(text, needles);
      if (!wanted) continue;
      for (let i = 0; i < events; i++) held[i]! |= wanted[codes[i]!]!;
    }
    for (let i = 0; i < events; i++) marks[i]! &= held[i]!;
    if (!marks.includes(1)) break;
  }
  return marks;
}

/** Each event's time, milliseconds. */
export function decodeTimes(body: Uint8Array, events: number, earliest: number): (index: number) => number {
  if (body.byteLength === events * 8) {
    const times = new Float64Array(body.buffer, body.byteOffset, events);
    return (index) => times[index]!;
  }
  const times = new Uint32Array(body.buffer, body.byteOffset, events);
  return (index) => earliest + times[index]!;
}

/** Times are kept as distances from the earliest, in four bytes where they lie within 49 days. */
function encodeTimes(times: readonly number[], earliest: number, latest: number): Uint8Array {
  const isNarrow = latest - earliest < 2 ** 32;
  return new Uint8Array(
    (isNarrow ? Uint32Array.from(times, (time) => time - earliest) : Float64Array.from(times)).buffer,
  );
}

/**
 * Two bytes, the first the width of a code; one code per event, 0 for "has none"; the values, each between two NULs, the
 * one with code 1 first.
 */
function encodeColumn(codes: Uint16Array, forms: readonly string[]): Uint8Array {
  const width = forms.length === 0 ? 0 : forms.length < 256 ? 1 : 2;
  const bytes =
    width === 2 ? new Uint8Array(codes.buffer, 0, codes.byteLength) : Uint8Array.from(width === 1 ? codes : []);
  return Buffer.concat([Uint8Array.of(width, 0), bytes, Buffer.from(`\0${forms.map((form) => `${form}\0`).join('')}`)]);
}

function decodeColumn(body: Uint8Array, events: number): { codes: Uint8Array | Uint16Array; text: Buffer } {
  const width = body[0]!;
  const start = body.byteOffset + 2;
  const codes =
    width === 2 ? new Uint16Array(body.buffer, start, events) : new Uint8Array(body.buffer, start, width * events);
  return { codes, text: Buffer.from(body.buffer, start + width * events, body.byteLength - 2 - width * events) };
}

/** Flags, by code, of the values that contain one of the needles; undefined when none does. */
function findValues(text: Buffer, needles: readonly string[]): Uint8Array | undefined {
  let wanted: Uint8Array | undefined;
  for (const needle of needles) {
    const bytes = Buffer.from(needle);
    let code = 0;
    let counted = 0;
    for (let at = text.indexOf(bytes); at !== -1; at = text.indexOf(bytes, text.indexOf(0, at + 1))) {
      for (; counted <= at; counted++) if (text[counted] === 0) code++;
      wanted ??= new Uint8Array(SEGMENT_EVENTS + 1);
      wanted[code] = 1;
    }
  }
  return wanted;
}
