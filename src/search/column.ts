import { giveBack } from '../give-back.ts';
import type { Values } from './values.ts';

/**
 * One field of a segment's events: the distinct values and, for each event, which of them it has. Two blobs, as most
 * searches find no value in `text` and need no `codes`.
 */
export interface Column {
  /** The values in UTF-8, each between two NULs, the one with code 1 first. */
  readonly text: Buffer;
  /**
   * Bytes of a code (0 where there are no values), three of padding, how many values; where every 64th of them begins in
   * `text`; one code per event, 0 for "has none". Numbers as this machine has them, 32 bits.
   */
  readonly codes: Uint8Array;
}

/** A column of which only the events from the place `from` on are wanted. */
export interface ColumnPart extends Column {
  readonly events: number;
  readonly from: number;
}

type Codes = Uint8Array | Uint16Array | Uint32Array;

const STRIDE = 64;
const HEAD = 8;
const NUL = 0;

/** `count`: of the values in `text`. */
export function encodeColumn(text: Buffer, count: number, codes: Codes): Column {
  const width = count === 0 ? 0 : count < 2 ** 8 ? 1 : count < 2 ** 16 ? 2 : 4;
  const starts = Math.ceil(count / STRIDE);
  const body = new ArrayBuffer(HEAD + 4 * starts + width * codes.length);
  new Uint8Array(body)[0] = width;
  new Uint32Array(body, 4, 1)[0] = count;
  const begins = new Uint32Array(body, HEAD, starts);
  for (let value = 0, at = 1; value < count; value++) {
    if (value % STRIDE === 0) begins[value / STRIDE] = at;
    at = endOf(text, at) + 1;
  }
  if (width > 0) codesIn(body, width, HEAD + 4 * starts, codes.length).set(codes);
  return { text, codes: new Uint8Array(body) };
}

/** Flags, by code, of the values that contain one of the needles; undefined when none does. `codes` is read only then. */
export function findValues(text: Buffer, needles: readonly string[], codes: () => EventCodes): Uint8Array | undefined {
  let wanted: Uint8Array | undefined;
  for (const needle of needles) {
    const bytes = Buffer.from(needle);
    for (let at = text.indexOf(bytes); at !== -1; at = text.indexOf(bytes, text.indexOf(NUL, at + 1))) {
      wanted ??= new Uint8Array(codes().count + 1);
      wanted[codes().codeAt(text, at)] = 1;
    }
  }
  return wanted;
}

/** The codes of a column's events. */
export class EventCodes {
  readonly count: number;
  /** One per event; empty where there are no values. */
  readonly codes: Codes;
  readonly #starts: Uint32Array;
  /** The value asked for last: those that are asked for next lie behind it. */
  #code = 0;
  #at = 0;

  constructor({ buffer, byteOffset }: Uint8Array, events: number) {
    const width = new Uint8Array(buffer, byteOffset)[0]!;
    this.count = new Uint32Array(buffer, byteOffset + 4, 1)[0]!;
    this.#starts = new Uint32Array(buffer, byteOffset + HEAD, Math.ceil(this.count / STRIDE));
    this.codes = codesIn(buffer, width, byteOffset + HEAD + this.#starts.byteLength, width === 0 ? 0 : events);
  }

  /** The code of the value at this place of `text`, or behind the NUL there. */
  codeAt(text: Uint8Array, place: number): number {
    const stride = this.#strideOf(place + 1);
    if (this.#at > place || stride * STRIDE > this.#code) {
      this.#at = this.#starts[stride]!;
      this.#code = stride * STRIDE + 1;
    }
    for (; this.#at <= place; this.#at++) if (text[this.#at] === NUL) this.#code++;
    return this.#code;
  }

  /** Which stride the value belongs to that lies there. */
  #strideOf(place: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= place) low = middle;
      else high = middle;
    }
    return low;
  }
}

/**
 * The columns of consecutive segments as one of `events` events, without values that none of them has. `values` is cleared
 * and used for it; the memory of each part is given back before the next is asked for.
 */
export function joinColumns(values: Values, events: number, parts: Iterable<ColumnPart>): Column {
  values.clear();
  const codes = new Uint32Array(events);
  let at = 0;
  for (const { text, codes: packed, events: count, from } of parts) {
    const column = new EventCodes(packed, count);
    if (column.count > 0) {
      const numbers = numbersOf(text, column, from, values);
      for (let i = from; i < count; i++) codes[at + i - from] = numbers[column.codes[i]!]!;
      giveBack(numbers);
    }
    at += count - from;
    giveBack(text);
    giveBack(packed);
  }
  const joined = encodeColumn(values.text(), values.count, codes);
  giveBack(codes);
  return joined;
}

/** By code in a column: the number among `values`, which learns those that events from `from` on have. */
function numbersOf(text: Buffer, { count, codes }: EventCodes, from: number, values: Values): Uint32Array {
  const isUsed = new Uint8Array(count + 1).fill(from === 0 ? 1 : 0);
  for (let i = from; i < codes.length; i++) isUsed[codes[i]!] = 1;
  const numbers = new Uint32Array(count + 1);
  for (let code = 1, start = 1; code <= count; code++) {
    const end = endOf(text, start);
    if (isUsed[code] === 1) numbers[code] = values.numberOf(text, start, end);
    start = end + 1;
  }
  giveBack(isUsed);
  return numbers;
}

function endOf(text: Uint8Array, start: number): number {
  let end = start;
  while (text[end] !== NUL && end < text.length) end++;
  return end;
}

function codesIn(buffer: ArrayBufferLike, width: number, start: number, events: number): Codes {
  if (width === 4) return new Uint32Array(buffer, start, events);
  return width === 2 ? new Uint16Array(buffer, start, events) : new Uint8Array(buffer, start, events);
}
