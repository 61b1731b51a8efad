import { isUtf8 } from 'node:buffer';
import { parseExactJson } from '../event/exact-json.ts';

/** One event of a body. `line`: as received, without its end (NDJSON only). `error`: why the line is not JSON. */
export interface SentItem {
  /** Position in the array, or line number from 0, blank lines counted. */
  readonly index: number;
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

/** The events of a body, in order, parsed one by one as they are asked for (NDJSON) or at once. Throws BadBody. */
export function* itemsOf(body: Buffer, format: 'json' | 'ndjson', maxEvents: number): Generator<SentItem> {
  const start = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  let events = 0;
  for (const item of format === 'ndjson' ? lines(body, start) : elements(body, start)) {
    if (++events > maxEvents) throw new BadBody('too_many_events', `the body has more than ${maxEvents} events`);
    yield item;
  }
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** Decodes line by line: most lines are ASCII, and Node decodes those many times faster. */
function* lines(body: Buffer, from: number): Generator<SentItem> {
  const decode = decoder(body);
  let start = from;
  let isEmpty = true;
  for (let index = 0; start < body.length; index++) {
    const newline = body.indexOf(NEWLINE, start);
    const end = newline === -1 ? body.length : newline;
    const line = decode(start, body[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
    start = end + 1;
    if (line.trim() === '') continue;
    isEmpty = false;
    const { value, error } = parse(line);
    yield error === undefined ? { index, line, sent: value } : { index, line, error };
  }
  if (isEmpty) throw emptyBody();
}

function* elements(body: Buffer, start: number): Generator<SentItem> {
  const text = decoder(body)(start, body.length);
  if (text.trim() === '') throw emptyBody();
  const { value, error } = parse(text);
  if (error !== undefined) throw new BadBody('invalid_json', `the body is not JSON: ${error}`);
  if (typeof value !== 'object' || value === null)
    throw new BadBody('invalid_json', 'the body is neither a JSON object nor an array of them');
  let index = 0;
  for (const sent of Array.isArray(value) ? value : [value]) yield { index: index++, sent };
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
