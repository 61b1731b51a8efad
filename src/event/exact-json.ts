/** A number that may not be exact: 16 digits or more, or an exponent of three. Also hits text that looks like one. */
const SUSPECT = /[:,[]\s*-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;

/**
 * Parses JSON, keeping numbers that a double cannot hold: those become strings of their digits as written.
 * Throws SyntaxError.
 */
export function parseExactJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  return SUSPECT.test(json) ? JSON.parse(quoteInexactNumbers(json)) : value;
}

/** `json` must be valid. Not a reviver: that recurses, and deep nesting would exhaust the stack. */
function quoteInexactNumbers(json: string): string {
  let isInString = false;
  return json.replace(/\\.|"|-?\d[\d.eE+-]*/g, (token) => {
    if (token === '"') isInString = !isInString;
    const isNumber = !isInString && token !== '"';
    return isNumber && decimal(token) !== decimal(JSON.stringify(Number(token))) ? `"${token}"` : token;
  });
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
