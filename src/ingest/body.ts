import { isUtf8 } from 'node:buffer';
import { parseExactJson } from '../event/exact-json.ts';
import { arrayElements, firstOf, isSpace } from './array-elements.ts';

/**
 * One event of a body. `line`: as received, without its end (NDJSON only). `error`: why the line is not JSON.
 * `isUnread`: so large that it was not even parsed.
 */
export interface SentItem {
  /** Position in the array, or line number from 0, blank lines counted. */
  readonly index: number;
  readonly isUnread?: boolean;
  readonly line?: string;
  readonly sent?: unknown;
  readonly error?: string;
}

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
 * BadBody. What a body can cost in time and memory when parsed is many times its size, so none is that is larger than
 * `unreadBytes`.
 */
export function* itemsOf(
  body: Buffer,
  format: 'json' | 'ndjson',
  { events: maxEvents, unreadBytes }: { readonly events: number; readonly unreadBytes: number },
): Generator<SentItem> {
  const start = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  let events = 0;
  for (const item of format === 'ndjson' ? lines(body, start, unreadBytes) : elements(body, start, unreadBytes)) {
    if (++events > maxEvents) throw new BadBody('too_many_events', `the body has more than ${maxEvents} events`);
    yield item;
  }
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');
/** A body of JSON up to this size is parsed at once: quicker than looking for its events first. */
const SMALL_BYTES = 512 * 1024;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const OPEN_BRACKET = 91;
const OPEN_BRACE = 123;

/** Decodes line by line: most lines are ASCII, and Node decodes those many times faster. */
function* lines(body: Buffer, from: number, unreadBytes: number): Generator<SentItem> {
  const decode = decoder(body);
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
    const line = decode(begin, body[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
    if (line.trim() === '') continue;
    isEmpty = false;
    const { value, error } = parse(line);
    yield error === undefined ? { index, line, sent: value } : { index, line, error };
  }
  if (isEmpty) throw emptyBody();
}

function* elements(body: Buffer, from: number, unreadBytes: number): Generator<SentItem> {
  const start = firstOf(body, from);
  if (start === body.length) throw emptyBody();
  const decode = decoder(body);
  const item = (index: number, begin: number, end: number): SentItem =>
    end - begin > unreadBytes ? { index, isUnread: true } : { index, sent: parsed(decode(begin, end)) };
  if (body.length <= SMALL_BYTES) {
    const value = parsed(decode(start, body.length));
    if (typeof value !== 'object' || value === null) throw notEvents();
    let index = 0;
    for (const sent of Array.isArray(value) ? value : [value]) yield { index: index++, sent };
  } else if (body[start] === OPEN_BRACE) yield item(0, start, endOf(body));
  else if (body[start] === OPEN_BRACKET) {
    let index = 0;
    for (const place of arrayElements(body, start)) {
      if (place === null) throw invalidJson('its brackets do not match');
      yield item(index++, ...place);
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
 * Decodes parts of a body of UTF-8. Invalid bytes become a lone surrogate, one for each U+FFFD that Node would put
 * there, so that they are replaced and counted with the others when the event is sealed.
 */
function decoder(body: Buffer): (start: number, end: number) => string {
  if (isUtf8(body)) return (start, end) => body.toString('utf8', start, end);
  return (start, end) =>
    body
      .toString('latin1', start, end)
      .split('\xef\xbf\xbd') // U+FFFD as sent; its first byte always begins a character
      .map((part) => Buffer.from(part, 'latin1').toString().replaceAll('\ufffd', '\udfff'))
      .join('\ufffd');
}
