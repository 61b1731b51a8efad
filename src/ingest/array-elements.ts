/**
 * Where each element of the JSON array that begins at `start` begins and ends, found without parsing it, which would
 * take many times its size in memory. Whether an element is JSON is not looked at; null, at the end, says that brackets
 * are missing or too many. `leap`: asked where each element begins for a place up to which all brackets match.
 */
export function* arrayElements(
  json: Buffer,
  start: number,
  leap: (begin: number) => number = (begin) => begin,
): Generator<readonly [begin: number, end: number] | null> {
  let depth = 1;
  let begin = start + 1;
  for (let at = leap(begin); at < json.length; at++) {
    switch (json[at]) {
      case QUOTE:
        at = endOfText(json, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (--depth > 0) break;
        if (begin !== start + 1 || firstOf(json, begin) < at) yield [begin, at];
        if (json[at] === CLOSE_BRACE || firstOf(json, at + 1) < json.length) yield null;
        return;
      case COMMA:
        if (depth !== 1) break;
        yield [begin, at];
        begin = at + 1;
        at = leap(begin) - 1;
    }
  }
  yield null;
}

/** The first place from `at` on that is not white space. */
export function firstOf(json: Buffer, at: number): number {
  let first = at;
  while (isSpace(json[first])) first++;
  return first;
}

/** White space as JSON has it. */
export function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === CARRIAGE_RETURN || byte === TAB;
}

const TAB = 9;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** The place of the quote that ends the text begun at `start`, or the end. */
function endOfText(json: Buffer, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
