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
  const text = decode(body);
  if (text.trim() === '') throw new BadBody('empty_body', 'the body is empty; expected an event, an array or NDJSON');
  let events = 0;
  for (const item of format === 'ndjson' ? lines(text) : elements(text)) {
    if (++events > maxEvents) throw new BadBody('too_many_events', `the body has more than ${maxEvents} events`);
    yield item;
  }
}

function* lines(text: string): Generator<SentItem> {
  let start = 0;
  for (let index = 0; start < text.length; index++) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
    if (line.trim() === '') continue;
    const { value, error } = parse(line);
    yield error === undefined ? { index, line, sent: value } : { index, line, error };
  }
}

function* elements(text: string): Generator<SentItem> {
  const { value, error } = parse(text);
  if (error !== undefined) throw new BadBody('invalid_json', `the body is not JSON: ${error}`);
  if (typeof value !== 'object' || value === null)
    throw new BadBody('invalid_json', 'the body is neither a JSON object nor an array of them');
  let index = 0;
  for (const sent of Array.isArray(value) ? value : [value]) yield { index: index++, sent };
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
 * Decodes UTF-8, without a byte order mark. Invalid bytes become a lone surrogate, one for each U+FFFD that Node would
 * put there, so that they are replaced and counted with the others when the event is sealed.
 */
function decode(body: Buffer): string {
  const text = isUtf8(body)
    ? body.toString()
    : body
        .toString('latin1')
        .split('\xef\xbf\xbd') // U+FFFD as sent; its first byte always begins a character
        .map((part) => Buffer.from(part, 'latin1').toString().replaceAll('\ufffd', '\udfff'))
        .join('\ufffd');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
