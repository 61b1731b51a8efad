import { giveBack } from '../give-back.ts';
import type { Values } from './values.ts';

/**
 * One field of a segment's events: the distinct values and, for each event, which of them it has. Blobs of their own, as
 * most searches find no value in `text` and need nothing else, and others need codes of some of the events.
 */
export interface Column {
  /** The values in UTF-8, each between two NULs, the one with code 1 first. */
  readonly text: Buffer;
  /** How many values; where every 64th of them begins in `text`. Numbers as this machine has them, 32 bits. */
  readonly starts: Uint32Array;
  /** One code per event, 0 for "has none", in pieces of PIECE_EVENTS; no pieces where there are no values. */
  readonly codes: readonly Codes[];
}

/** A column of which only the events from the place `from` on are wanted. */
export interface ColumnPart extends Pick<Column, 'text' | 'starts'> {
  readonly events: number;
  readonly from: number;
  /** Reads one piece. */
  codes(piece: number): Uint8Array;
}

/** As wide as the number of values needs: `codesIn`. */
export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** Few enough that what is read of a piece stays in the processor's cache. */
export const PIECE_EVENTS = 65_536;

const STRIDE = 64;
const NUL = 0;

/** `count`: of the values in `text`. */
export function encodeColumn(text: Buffer, count: number, codes: Codes): Column {
  const starts = new Uint32Array(1 + Math.ceil(count / STRIDE));
  starts[0] = count;
  for (let value = 0, at = 1; value < count; value++) {
    if (value % STRIDE === 0) starts[1 + value / STRIDE] = at;
    at = endOf(text, at) + 1;
  }
  if (count === 0) return { text, starts, codes: [] };
  const pieces = piecesOf(codes.length).map(({ begin, end }) => {
    const piece = codesIn(new Uint8Array((end - begin) * widthOf(count)), count);
    piece.set(codes.subarray(begin, end));
    return piece;
  });
  return { text, starts, codes: pieces };
}

/** The pieces of a segment of so many events that hold some from the place `from` on: which events each has. */
export function piecesOf(events: number, from = 0): { piece: number; begin: number; end: number }[] {
  const first = Math.floor(from / PIECE_EVENTS);
  return Array.from({ length: Math.ceil(events / PIECE_EVENTS) - first }, (_, i) => {
    const begin = (first + i) * PIECE_EVENTS;
    return { piece: first + i, begin, end: Math.min(begin + PIECE_EVENTS, events) };
  });
}

/** The codes of a piece of a column that has so many values. */
export function codesIn({ buffer, byteOffset, byteLength }: Uint8Array, values: number): Codes {
  const width = widthOf(values);
  if (width === 4) return new Uint32Array(buffer, byteOffset, byteLength / width);
  return width === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / width)
    : new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes of a code. */
function widthOf(values: number): 1 | 2 | 4 {
  if (values < 2 ** 8) return 1;
  return values < 2 ** 16 ? 2 : 4;
}

/** Flags, by code, of the values that contain one of the needles; undefined when none does. `starts` is read only then. */
export function findValues(
  text: Buffer,
  needles: readonly string[],
  starts: () => Uint32Array,
): Uint8Array | undefined {
  let values: ValueCodes | undefined;
  let wanted: Uint8Array | undefined;
  for (const needle of needles) {
    const bytes = Buffer.from(needle);
    for (let at = text.indexOf(bytes); at !== -1; at = text.indexOf(bytes, text.indexOf(NUL, at + 1))) {
      values ??= new ValueCodes(text, starts());
      wanted ??= new Uint8Array(values.count + 1);
      wanted[values.codeAt(at)] = 1;
    }
  }
  return wanted;
}

/** Which code the value has that lies at a place of the text. */
class ValueCodes {
  readonly count: number;
  readonly #text: Uint8Array;
  readonly #starts: Uint32Array;
  /** The value asked for last: those that are asked for next lie behind it. */
  #code = 0;
  #at = 0;

  constructor(text: Uint8Array, starts: Uint32Array) {
    this.#text = text;
    this.count = starts[0]!;
    this.#starts = starts.subarray(1);
  }

  /** At this place, or behind the NUL there. */
  codeAt(place: number): number {
    const stride = this.#strideOf(place + 1);
    if (this.#at > place || stride * STRIDE > this.#code) {
      this.#at = this.#starts[stride]!;
      this.#code = stride * STRIDE + 1;
    }
    for (; this.#at <= place; this.#at++) if (this.#text[this.#at] === NUL) this.#code++;
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
  for (const part of parts) {
    if (part.starts[0]! > 0) {
      const numbers = numbersOf(part, values);
      eachPiece(part, (piece, begin) => {
        for (let i = Math.max(0, part.from - begin); i < piece.length; i++)
          codes[at + begin + i - part.from] = numbers[piece[i]!]!;
      });
      giveBack(numbers);
    }
    at += part.events - part.from;
    giveBack(part.text);
    giveBack(part.starts);
  }
  const joined = encodeColumn(values.text(), values.count, codes);
  giveBack(codes);
  return joined;
}

/** Each piece with events from `part.from` on, and which event it begins with. */
function eachPiece(part: ColumnPart, work: (codes: Codes, begin: number) => void): void {
  for (const { piece, begin } of piecesOf(part.events, part.from)) {
    const body = part.codes(piece);
    work(codesIn(body, part.starts[0]!), begin);
    giveBack(body);
  }
}

/** By code in a column: the number among `values`, which learns those that events from `part.from` on have. */
function numbersOf(part: ColumnPart, values: Values): Uint32Array {
  const { text, from } = part;
  const count = part.starts[0]!;
  const isUsed = new Uint8Array(count + 1).fill(from === 0 ? 1 : 0);
  if (from > 0)
    eachPiece(part, (piece, begin) => {
      for (let i = Math.max(0, from - begin); i < piece.length; i++) isUsed[piece[i]!] = 1;
    });
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
