import { parseJson } from './parse-json.ts';

/** A number of 16 digits or more, or with an exponent of three: others are exact. Also finds text that looks like one. */
const LONG_NUMBER = /[:,[]\s*(-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})[\d.eE+-]*)/;
const LONG_NUMBERS = new RegExp(LONG_NUMBER, 'g');

/**
 * Parses JSON, keeping numbers that a double cannot hold: those become strings of their digits as written.
 * Throws SyntaxError.
 */
export function parseExactJson(json: string): unknown {
  const value = parseJson(json);
  if (!LONG_NUMBER.test(json)) return value;
  const isAllExact = json.matchAll(LONG_NUMBERS).every(([, literal = '']) => isExact(literal));
  return isAllExact ? value : parseJson(quoteInexactNumbers(json));
}

/** `json` must be valid. Not a reviver: that recurses, and deep nesting would exhaust the stack. */
function quoteInexactNumbers(json: string): string {
  let isInString = false;
  return json.replace(/\\.|"|-?\d[\d.eE+-]*/g, (token) => {
    if (token === '"') isInString = !isInString;
    return isInString || token === '"' || isExact(token) ? token : `"${token}"`;
  });
}

/** True when a double prints as the same decimal. */
function isExact(literal: string): boolean {
  return decimal(literal) === decimal(JSON.stringify(Number(literal)));
}

/** One spelling for equal decimals, without sign: `1.50e3` and `1500` are both `15e2`. */
function decimal(literal: string): string {
  const [mantissa = '', exponent = '0'] = literal.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = whole + fraction;
  let start = 0;
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  while (start < end && digits[start] === '0') start++;
  if (start === end) return '0';
  return `${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
