import { AuditEvent } from './schema.ts';

/** A key of the canonical form: what stands before its value, and what of the value is known. */
interface Member {
  /** With the first byte of the value: `"id":"`, `"actor":{`. */
  readonly key: Buffer;
  readonly isRequired: boolean;
  /** Of a text: where the reader keeps its place. */
  readonly slot: number;
  /** Of an object: its own. */
  readonly members: readonly Member[] | undefined;
}

/** Deeper than this an event is left to the parser. */
const MOST_LEVELS = 32;
/** Numbers of so many digits are written by everybody as they were read: a double holds 15 (DBL_DIG). */
const MOST_DIGITS = 15;
/** From `0.0000001` on JavaScript writes an exponent. */
const MOST_LEADING_ZEROS = 5;

const [SPACE, QUOTE, COMMA, MINUS, POINT, ZERO, NINE, COLON] = [32, 34, 44, 45, 46, 48, 57, 58] as const;
const [OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE, DELETE] = [91, 92, 93, 123, 125, 127] as const;
const LITERALS = ['true', 'false', 'null'].map((literal) => Buffer.from(literal));
/** What JSON.stringify puts behind a backslash, other than `u`. */
const ESCAPED = new Set(Buffer.from('"\\bfnrt'));

const TEXTS: string[] = [];
const { timestamp, sequence, receivedAt, changes, metadata, trailproof, ...known } = AuditEvent.properties;
const MEMBERS = membersOf({ properties: known, required: AuditEvent.required });
const FREE = Object.keys({ changes, metadata }).map((name) => Buffer.from(`,"${name}":{`));

/** Where a field lies, for `CanonicalReader.text`: `id`, `actor.email`. */
export function slotOf(field: string): number {
  const slot = TEXTS.indexOf(field);
  if (slot === -1) throw new Error(`no text of the canonical form: ${field}`);
  return slot;
}

/**
 * Reads an event's JSON where it is already as Trailproof writes it (fields in the order of the schema, no spaces, the
 * keys of `changes` and `metadata` in order): in one pass over its bytes, making no object. Whatever is otherwise, it says
 * so, and the caller parses. The bytes must be valid UTF-8.
 */
export class CanonicalReader {
  #bytes: Buffer = Buffer.alloc(0);
  readonly #starts = new Int32Array(TEXTS.length);
  readonly #ends = new Int32Array(TEXTS.length);

  /** Reads the known fields, from the comma before `"id"` on. Returns the place behind them, or -1. */
  known(bytes: Buffer, at: number): number {
    this.#bytes = bytes;
    this.#starts.fill(0);
    this.#ends.fill(0);
    return this.#members(MEMBERS, at, false);
  }

  /** Reads `changes` and `metadata`, from behind the known fields, and the end. Returns the place behind it, or -1. */
  free(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    for (const key of FREE) {
      if (!standsAt(bytes, at, key)) continue;
      at = endOfObject(bytes, at + key.length, MOST_LEVELS);
      if (at === -1) return -1;
    }
    return bytes[at] === CLOSE_BRACE ? at + 1 : -1;
  }

  /** Where a field's text begins, escapes and all; equal to `endOf` where there is none, or an empty one. */
  startOf(slot: number): number {
    return this.#starts[slot]!;
  }

  endOf(slot: number): number {
    return this.#ends[slot]!;
  }

  /** A field's text; undefined where there is none. */
  text(slot: number): string | undefined {
    const start = this.#starts[slot]!;
    if (start === 0) return undefined;
    const text = this.#bytes.toString('utf8', start, this.#ends[slot]);
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
  }

  #members(members: readonly Member[], from: number, isFirst: boolean): number {
    const bytes = this.#bytes;
    let at = from;
    let comma = isFirst ? 0 : 1;
    for (const { key, isRequired, slot, members: inner } of members) {
      if ((comma === 1 && bytes[at] !== COMMA) || !standsAt(bytes, at + comma, key)) {
        if (isRequired) return -1;
        continue;
      }
      const start = at + comma + key.length;
      comma = 1;
      if (inner) {
        at = this.#members(inner, start, true);
        // An object without fields is not written at all.
        if (at === -1 || at === start || bytes[at] !== CLOSE_BRACE) return -1;
      } else {
        at = endOfText(bytes, start);
        if (at === -1) return -1;
        this.#starts[slot] = start;
        this.#ends[slot] = at;
      }
      at++;
    }
    return at;
  }
}

interface Schema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

function membersOf({ properties = {}, required = [] }: Schema, prefix = ''): readonly Member[] {
  return Object.entries(properties).map(([name, schema]) => {
    const isObject = 'properties' in schema;
    return {
      key: Buffer.from(`"${name}":${isObject ? '{' : '"'}`),
      isRequired: required.includes(name),
      slot: isObject ? -1 : TEXTS.push(prefix + name) - 1,
      members: isObject ? membersOf(schema as Schema, `${name}.`) : undefined,
    };
  });
}

export function standsAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** The place of the quote that ends the text; -1 where something stands that JSON.stringify writes otherwise, or no end. */
function endOfText(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte < SPACE) return -1;
    if (byte === BACKSLASH && !ESCAPED.has(bytes[++at]!)) return -1;
  }
  return -1;
}

/** The place behind the object whose `{` stands before `start`; its keys must be in order, and so does none repeat. */
function endOfObject(bytes: Buffer, start: number, levels: number): number {
  if (bytes[start] === CLOSE_BRACE) return start + 1;
  let lastStart = 0;
  let lastEnd = 0;
  for (let at = start; levels > 0; at++) {
    if (bytes[at] !== QUOTE) return -1;
    const keyStart = at + 1;
    const keyEnd = endOfKey(bytes, keyStart);
    if (keyEnd === -1 || bytes[keyEnd + 1] !== COLON) return -1;
    if (lastEnd > 0 && !isBefore(bytes, lastStart, lastEnd, keyStart, keyEnd)) return -1;
    lastStart = keyStart;
    lastEnd = keyEnd;
    at = endOfValue(bytes, keyEnd + 2, levels - 1);
    if (at === -1) return -1;
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return -1;
  }
  return -1;
}

function endOfArray(bytes: Buffer, start: number, levels: number): number {
  if (bytes[start] === CLOSE_BRACKET) return start + 1;
  for (let at = start; levels > 0; at++) {
    at = endOfValue(bytes, at, levels - 1);
    if (at === -1) return -1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) return -1;
  }
  return -1;
}

function endOfValue(bytes: Buffer, at: number, levels: number): number {
  switch (bytes[at]) {
    case QUOTE: {
      const end = endOfText(bytes, at + 1);
      return end === -1 ? -1 : end + 1;
    }
    case OPEN_BRACE:
      return endOfObject(bytes, at + 1, levels);
    case OPEN_BRACKET:
      return endOfArray(bytes, at + 1, levels);
    default: {
      const literal = LITERALS.find((wanted) => standsAt(bytes, at, wanted));
      return literal ? at + literal.length : endOfNumber(bytes, at);
    }
  }
}

/** ASCII, unescaped; no digit first: objects have keys that look like an index before all others. */
function endOfKey(bytes: Buffer, start: number): number {
  if (isDigit(bytes[start])) return -1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte < SPACE || byte === BACKSLASH || byte >= DELETE) return -1;
  }
  return -1;
}

function isBefore(bytes: Buffer, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  const length = Math.min(end - start, otherEnd - otherStart);
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - bytes[otherStart + i]!;
    if (difference !== 0) return difference < 0;
  }
  return end - start < otherEnd - otherStart;
}

/** A decimal of at most 15 digits, without exponent, leading or trailing zeros. */
function endOfNumber(bytes: Buffer, start: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  let at = first;
  while (isDigit(bytes[at])) at++;
  const whole = at - first;
  const isZero = bytes[first] === ZERO;
  if (whole === 0 || (isZero && whole > 1)) return -1;
  let fraction = 0;
  if (bytes[at] === POINT) {
    const point = at++;
    let zeros = 0;
    while (bytes[at] === ZERO) {
      at++;
      zeros++;
    }
    while (isDigit(bytes[at])) at++;
    fraction = at - point - 1;
    if (fraction === 0 || bytes[at - 1] === ZERO || (isZero && zeros > MOST_LEADING_ZEROS)) return -1;
  } else if (isZero && first > start) return -1;
  // An exponent is seen by the caller: neither comma nor bracket.
  return whole + fraction > MOST_DIGITS ? -1 : at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
