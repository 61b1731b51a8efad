import { endianness } from 'node:os';
import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import { giveBack } from '../give-back.ts';
import { type Codes, type Column, codesIn, encodeColumn, findValues, PIECE_EVENTS, piecesOf } from './column.ts';
import { EventTexts, type TextPath } from './event-texts.ts';
import { type Clause, type Condition, FIELDS, type Field, type FieldName, formOf } from './match.ts';
import { Bytes, Values } from './values.ts';

/**
 * A segment is the index of consecutive events of one team, by column: for each field the distinct values in normal form,
 * and for each event which of them it has. It is written once and answers any filter by itself. From the log come
 * segments of up to 4,096 events; many small ones are joined to a large one (`SegmentFile.join`).
 */
export interface Segment {
  readonly first: Sequence;
  readonly last: Sequence;
  /** Id of its last event: tells whether the index belongs to this log. */
  readonly lastId: string;
  /** In the order of FIELD_NAMES. */
  readonly columns: readonly Column[];
  /** Each event's own time, in pieces: `decodeTimes`. */
  readonly times: readonly Uint8Array[];
  /** The least and the greatest time of each piece, milliseconds. */
  readonly periods: Float64Array;
}

/** What a segment has a column of, in this order: a change of it needs a new version of the index file. */
export const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];

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
    .map(([path, columns]) => ({ path, columns, values: new Values() }))
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
    const columns = this.#columns.map((column) => column.encode(this.#count));
    return { first: last - this.#count + 1, last, lastId, columns, ...encodeTimes(times) };
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

  /** The text is valid until the next call. */
  encode(events: number): Column {
    const { buffer, length } = this.#forms;
    return encodeColumn(buffer.subarray(0, length), this.#count, this.#codes.subarray(0, events));
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

/** Where a segment's columns are read from: each blob is the caller's, who gives its memory back. */
export interface Columns {
  text(field: FieldName): Buffer;
  starts(field: FieldName): Uint32Array;
  codes(field: FieldName, piece: number): Uint8Array;
}

/** A clause in terms of one segment: by code of the field, 1 where the value meets it. */
interface Found {
  readonly field: FieldName;
  readonly wanted: Uint8Array;
}

/** What the conditions ask for in one segment; one that no value meets is empty, and then is the last. */
export function findConditions(conditions: readonly Condition[], columns: Columns): readonly (readonly Found[])[] {
  const all: Found[][] = [];
  for (const clauses of conditions) {
    const found = clauses.map((clause) => findClause(clause, columns)).filter((each) => each !== undefined);
    all.push(found);
    if (found.length === 0) break;
  }
  return all;
}

function findClause({ field, needles }: Clause, columns: Columns): Found | undefined {
  const text = columns.text(field);
  const wanted = findValues(text, needles, () => columns.starts(field));
  giveBack(text);
  return wanted && { field, wanted };
}

/** One mark (1) for each of so many events, with room for whole words. */
export function markAll(events: number): Buffer {
  return Buffer.from(new ArrayBuffer(WORD * Math.ceil(events / WORD)), 0, events).fill(1);
}

/** Takes its mark from each event of a piece for which not every condition holds. `marks`: as `markAll` makes them. */
export function keepMatches(
  marks: Uint8Array,
  piece: number,
  conditions: readonly (readonly Found[])[],
  columns: Columns,
): void {
  const words = wordsOf(marks);
  for (const clauses of conditions) {
    const held = HELD.subarray(0, words.length);
    held.fill(0);
    for (const { field, wanted } of clauses) {
      const body = columns.codes(field, piece);
      addFound(held, words, codesIn(body, wanted.length - 1), wanted);
      giveBack(body);
    }
    let any = 0;
    for (let i = 0; i < words.length; i++) any |= words[i]! &= held[i]!;
    if (any === 0) break;
  }
}

/**
 * Marks, of the words that have one among `among`, the events with a wanted code. A word without any is passed over; there
 * is no branch on a single event, as the processor would guess most of them wrong, and one write for four.
 */
function addFound(words: Uint32Array, among: Uint32Array, codes: Codes, wanted: Uint8Array): void {
  const whole = Math.floor(codes.length / WORD);
  for (let word = 0; word < whole; word++) {
    if (among[word] === 0) continue;
    const i = word * WORD;
    words[word]! |=
      (wanted[codes[i]!]! << SHIFTS[0]) |
      (wanted[codes[i + 1]!]! << SHIFTS[1]) |
      (wanted[codes[i + 2]!]! << SHIFTS[2]) |
      (wanted[codes[i + 3]!]! << SHIFTS[3]);
  }
  for (let i = whole * WORD; i < codes.length; i++) words[whole]! |= wanted[codes[i]!]! << SHIFTS[i % WORD]!;
}

const WORD = 4;
/** Where the marks of one condition are collected. */
const HELD = new Uint32Array(PIECE_EVENTS / WORD);
/** Where in a word each of its bytes is. */
const SHIFTS = endianness() === 'LE' ? ([0, 8, 16, 24] as const) : ([24, 16, 8, 0] as const);

/** As many as the bytes need. */
export function wordsOf({ buffer, byteOffset, length }: Uint8Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, Math.ceil(length / WORD));
}

/** Each event's time is `base` and its value, milliseconds. */
export interface Times {
  readonly base: number;
  readonly values: Uint32Array | Float64Array;
}

/** Of a piece of so many events, `earliest` the least of its times. */
export function decodeTimes({ buffer, byteOffset, byteLength }: Uint8Array, events: number, earliest: number): Times {
  return byteLength === events * 8
    ? { base: 0, values: new Float64Array(buffer, byteOffset, events) }
    : { base: earliest, values: new Uint32Array(buffer, byteOffset, events) };
}

/** Times of a piece are kept as distances from its earliest, in four bytes where they lie within 49 days. */
export function encodeTimes(times: Float64Array): Pick<Segment, 'times' | 'periods'> {
  const pieces = piecesOf(times.length).map(({ begin, end }) => encodePiece(times.subarray(begin, end)));
  return {
    times: pieces.map((piece) => piece.times),
    periods: Float64Array.from(pieces.flatMap((piece) => [piece.earliest, piece.latest])),
  };
}

function encodePiece(times: Float64Array): { earliest: number; latest: number; times: Uint8Array } {
  // No callbacks: they would make an object of each number.
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < times.length; i++) {
    if (times[i]! < earliest) earliest = times[i]!;
    if (times[i]! > latest) latest = times[i]!;
  }
  const kept = latest - earliest < 2 ** 32 ? new Uint32Array(times.length) : new Float64Array(times.length);
  const base = kept instanceof Uint32Array ? earliest : 0;
  for (let i = 0; i < times.length; i++) kept[i] = times[i]! - base;
  return { earliest, latest, times: new Uint8Array(kept.buffer) };
}
