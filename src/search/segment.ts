import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import { EventTexts, type TextPath } from './event-texts.ts';
import { type Condition, FIELDS, type Field, type FieldName, formOf } from './match.ts';
import { Bytes, Values } from './values.ts';

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
/** A segment ends early here, so that events with long texts do not fill memory. Bytes of distinct values. */
const SEGMENT_TEXT = 8 * 1024 * 1024;

/** Collects consecutive events, oldest first, for one segment; then, after `clear`, for another in the same memory. */
export class SegmentBuilder {
  readonly #texts = new EventTexts();
  readonly #columns = FIELD_NAMES.map((name) => new ColumnBuilder(name));
  /** By path, as two fields can be of one. */
  readonly #values = Map.groupBy(this.#columns, ({ path }) => path)
    .entries()
    .map(([path, columns]) => ({ path, columns, values: new Values(SEGMENT_EVENTS) }))
    .toArray();
  readonly #times = new Float64Array(SEGMENT_EVENTS);
  #count = 0;
  #bytes = 0;
  #last = { sequence: 0, id: '' };

  add(event: LoggedEvent): void {
    const texts = this.#texts;
    texts.read(event);
    for (const { path, columns, values } of this.#values) {
      let value = 0;
      if (texts.find(path)) {
        const known = values.count;
        value = values.numberOf(texts.source, texts.start, texts.end);
        if (value > known) {
          this.#bytes += texts.end - texts.start;
          for (const column of columns) column.learn(value, texts);
        }
      }
      for (const column of columns) column.put(this.#count, value);
    }
    this.#times[this.#count++] = event.timestamp;
    this.#last = { sequence: event.sequence, id: event.id };
  }

  isFull(): boolean {
    return this.#count === SEGMENT_EVENTS || this.#bytes >= SEGMENT_TEXT;
  }

  /** At least one event must have been added. */
  finish(): Segment {
    const { sequence: last, id: lastId } = this.#last;
    const times = this.#times.subarray(0, this.#count);
    const earliest = times.reduce((a, b) => Math.min(a, b));
    const latest = times.reduce((a, b) => Math.max(a, b));
    const columns = this.#columns.map((column) => column.encode(this.#count));
    return {
      first: last - this.#count + 1,
      last,
      earliest,
      latest,
      lastId,
      columns: [...columns, encodeTimes(times, earliest, latest)],
    };
  }

  clear(): void {
    for (const { columns, values } of this.#values) {
      values.clear();
      for (const column of columns) column.clear();
    }
    this.#count = 0;
    this.#bytes = 0;
  }
}

class ColumnBuilder {
  readonly path: TextPath;
  readonly #name: FieldName;
  readonly #ascii: 'same' | 'lower' | undefined;
  readonly #codes = new Uint16Array(SEGMENT_EVENTS);
  /** By number of a value: its code, 0 where it has no form. */
  readonly #codeOf = new Uint16Array(SEGMENT_EVENTS + 1);
  readonly #forms = new Bytes();
  #count = 0;

  constructor(name: FieldName) {
    const { path, ascii }: Field = FIELDS[name];
    this.path = path;
    this.#name = name;
    this.#ascii = ascii;
    this.clear();
  }

  /** The value that was found last is new. */
  learn(value: number, texts: EventTexts): void {
    if (this.#ascii && texts.isPlain) this.#addAscii(texts);
    else {
      const form = formOf(this.#name, texts.text(this.path));
      this.#codeOf[value] = 0;
      if (form === undefined) return;
      this.#forms.reserve(Buffer.byteLength(form) + 1);
      this.#forms.length += this.#forms.buffer.write(form, this.#forms.length);
      this.#endForm();
    }
    this.#codeOf[value] = ++this.#count;
  }

  /** `value`: 0 for none. */
  put(event: number, value: number): void {
    this.#codes[event] = this.#codeOf[value]!;
  }

  /**
   * Two bytes, the first the width of a code; one code per event, 0 for "has none"; the values, each between two NULs, the
   * one with code 1 first.
   */
  encode(events: number): Uint8Array {
    const width = this.#count === 0 ? 0 : this.#count < 256 ? 1 : 2;
    const codes = this.#codes.subarray(0, width === 0 ? 0 : events);
    const bytes = width === 2 ? new Uint8Array(codes.buffer, 0, codes.byteLength) : Uint8Array.from(codes);
    return Buffer.concat([Uint8Array.of(width, 0), bytes, this.#forms.buffer.subarray(0, this.#forms.length)]);
  }

  clear(): void {
    this.#count = 0;
    this.#forms.clear();
    this.#endForm();
  }

  #addAscii({ source, start, end }: EventTexts): void {
    this.#forms.reserve(end - start + 1);
    const { buffer } = this.#forms;
    let at = this.#forms.length;
    for (let from = start; from < end; from++) {
      const byte = source[from]!;
      buffer[at++] = this.#ascii === 'lower' && byte >= UPPER_A && byte <= UPPER_Z ? byte + TO_LOWER : byte;
    }
    this.#forms.length = at;
    this.#endForm();
  }

  #endForm(): void {
    this.#forms.reserve(1);
    this.#forms.buffer[this.#forms.length++] = 0;
  }
}

const [UPPER_A, UPPER_Z, TO_LOWER] = [65, 90, 32] as const;

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
function encodeTimes(times: Float64Array, earliest: number, latest: number): Uint8Array {
  const isNarrow = latest - earliest < 2 ** 32;
  return new Uint8Array((isNarrow ? Uint32Array.from(times, (time) => time - earliest) : times.slice()).buffer);
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
