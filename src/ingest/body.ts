import { isUtf8 } from 'node:buffer';
import type { SealedBytes } from '../event/as-sealed.ts';
import { parseExactJson } from '../event/exact-json.ts';
import { arrayElements, firstOf, isSpace } from './array-elements.ts';

/**
 * One event of a body. `line`: as received, without its end (NDJSON only). `error`: why the line is not JSON.
 * `isUnread`: so large that it was not even parsed. `sealed`: it needs no parsing, its bytes are its JSON.
 */
export interface SentItem {
  /** Position in the array, or line number from 0, blank lines counted. */
  readonly index: number;
  readonly sealed?: SealedBytes;
  readonly isUnread?: boolean;
  readonly line?: string;
  readonly sent?: unknown;
  readonly error?: string;
}

export interface BodyLimits {
  /** Of one body. */
  readonly events: number;
  /** An event that is larger is not parsed: what that can cost in time and memory is many times its size. */
  readonly unreadBytes: number;
}

/** What `asSealed` knows of the event that begins at that place of a body; undefined: it is to be parsed. */
export type ReadSealed = (begin: number) => SealedBytes | undefined;

/** The body as a whole cannot be read; nothing of it was kept. */
export class BadBody extends Error {
  readonly code: 'empty_body' | 'invalid_json' | 'too_many_events';
  constructor(code: BadBody['code'], message: string) {
    super(message);
    this.name = 'BadBody';
    this.code = code;
  }
}

/**
 * The events of a body, in order, parsed one by one as they are asked for, or at once where the body is small. Throws
 * BadBody.
 */
export function* itemsOf(
  body: Buffer,
  format: 'json' | 'ndjson',
  { events: maxEvents, unreadBytes }: BodyLimits,
  readSealed: ReadSealed,
): Generator<SentItem> {
  const start = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const source: Source = { body, start, unreadBytes, ...decoding(body, readSealed) };
  let events = 0;
  for (const item of format === 'ndjson' ? lines(source) : elements(source)) {
    if (++events > maxEvents) throw new BadBody('too_many_events', `the body has more than ${maxEvents} events`);
    yield item;
  }
}

interface Source {
  readonly body: Buffer;
  /** Behind the byte order mark. */
  readonly start: number;
  readonly unreadBytes: number;
  readonly decode: (start: number, end: number) => string;
  readonly readSealed: ReadSealed;
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');
/** A body of JSON up to this size whose first event is to be parsed is so at once: quicker than looking for its events. */
const SMALL_BYTES = 512 * 1024;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const OPEN_BRACKET = 91;
const OPEN_BRACE = 123;

/** Decodes line by line: most lines are ASCII, and Node decodes those many times faster. */
function* lines({ body, start: from, unreadBytes, decode, readSealed }: Source): Generator<SentItem> {
  let start = from;
  let isEmpty = true;
  for (let index = 0; start < body.length; index++) {
    // Millions of blank lines must cost next to nothing.
    const first = firstOf(body, start);
    for (let at = start; at < first; at++)
      if (body[at] === NEWLINE) {
        start = at + 1;
        index++;
      }
    if (start === body.length) break;
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    const begin = start;
    start = end + 1;
    if (end - begin > unreadBytes) {
      isEmpty = false;
      yield { index, isUnread: true };
      continue;
    }
    const lineEnd = body[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    const sealed = readSealed(begin);
    if (sealed?.end === lineEnd) {
      isEmpty = false;
      yield { index, sealed };
      continue;
    }
    const line = decode(begin, lineEnd);
    if (line.trim() === '') continue;
    isEmpty = false;
    const { value, error } = parse(line);
    yield error === undefined ? { index, line, sent: value } : { index, line, error };
  }
  if (isEmpty) throw emptyBody();
}

function* elements({ body, start: from, unreadBytes, decode, readSealed }: Source): Generator<SentItem> {
  const start = firstOf(body, from);
  if (start === body.length) throw emptyBody();
  const isArray = body[start] === OPEN_BRACKET;
  const first = readSealed(isArray ? start + 1 : start);
  const item = (index: number, begin: number, end: number, sealed: SealedBytes | undefined): SentItem => {
    if (sealed?.end === end) return { index, sealed };
    return end - begin > unreadBytes ? { index, isUnread: true } : { index, sent: parsed(decode(begin, end)) };
  };
  if (!first && body.length <= SMALL_BYTES) {
    const value = parsed(decode(start, body.length));
    if (typeof value !== 'object' || value === null) throw notEvents();
    let index = 0;
    for (const sent of Array.isArray(value) ? value : [value]) yield { index: index++, sent };
  } else if (body[start] === OPEN_BRACE) yield item(0, start, endOf(body), first);
  else if (isArray) {
    let index = 0;
    let sealed: SealedBytes | undefined;
    const places = arrayElements(body, start, (begin) => {
      sealed = begin === start + 1 ? first : readSealed(begin);
      return sealed?.end ?? begin;
    });
    for (const place of places) {
      if (place === null) throw invalidJson('its brackets do not match');
      yield item(index++, ...place, sealed);
    }
  } else throw notEvents();
}

/** Where the white space at the end begins. */
function endOf(body: Buffer): number {
  let end = body.length;
  while (isSpace(body[end - 1])) end--;
  return end;
}

function parsed(text: string): unknown {
  const { value, error } = parse(text);
  if (error !== undefined) throw invalidJson(error);
  return value;
}

function invalidJson(why: string): BadBody {
  return new BadBody('invalid_json', `the body is not JSON: ${why}`);
}

function notEvents(): BadBody {
  return new BadBody('invalid_json', 'the body is neither a JSON object nor an array of them');
}

function emptyBody(): BadBody {
  return new BadBody('empty_body', 'the body is empty; expected an event, an array of events or NDJSON');
}

function parse(text: string): { value?: unknown; error?: string } {
  try {
    return { value: parseExactJson(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { error: error.message.slice(0, 200) };
  }
}

/**
 * How parts of a body are decoded. Invalid bytes become a lone surrogate, one for each U+FFFD that Node would put there,
 * so that they are replaced and counted with the others when the event is sealed; no event of such a body is taken as it is.
 */
function decoding(body: Buffer, readSealed: ReadSealed): Pick<Source, 'decode' | 'readSealed'> {
  if (isUtf8(body)) return { decode: (start, end) => body.toString('utf8', start, end), readSealed };
  return {
    decode: (start, end) =>
      body
        .toString('latin1', start, end)
        .split('\xef\xbf\xbd') // U+FFFD as sent; its first byte always begins a character
        .map((part) => Buffer.from(part, 'latin1').toString().replaceAll('\ufffd', '\udfff'))
        .join('\ufffd'),
    readSealed: () => undefined,
  };
}
