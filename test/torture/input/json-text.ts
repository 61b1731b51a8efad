/** JSON as a producer may write it: with repeated keys, numbers no double holds, any nesting. */
export type JsonNode =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly literal: string }
  | { readonly kind: 'word'; readonly literal: 'true' | 'false' | 'null' }
  /** Nothing but levels. */
  | { readonly kind: 'deep'; readonly levels: number; readonly of: 'array' | 'object' }
  /** What JSON has no word for: NaN. */
  | { readonly kind: 'broken'; readonly literal: string };

export function textOf(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.entries.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(textOf).join(',')}]`;
    case 'text':
      return JSON.stringify(node.text);
    case 'deep':
      return node.of === 'array'
        ? `${'['.repeat(node.levels)}${']'.repeat(node.levels)}`
        : `${'{"a":'.repeat(node.levels)}1${'}'.repeat(node.levels)}`;
    default:
      return node.literal;
  }
}

/** What is to be stored of it: the last of equal keys, exact numbers, replaced characters. Not for what is broken. */
export function meantBy(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object': {
      const fields = new Map<string, unknown>();
      for (const [key, value] of node.entries) fields.set(key, meantBy(value));
      return Object.fromEntries([...inKeyOrder(fields)].map(([key, value]) => [storable(key), value]));
    }
    case 'array':
      return node.items.map(meantBy);
    case 'text':
      return storable(node.text);
    case 'number':
      return numberMeant(node.literal);
    default:
      return JSON.parse(textOf(node));
  }
}

export function isBroken(node: JsonNode): boolean {
  if (node.kind === 'object') return node.entries.some(([, value]) => isBroken(value));
  return node.kind === 'array' ? node.items.some(isBroken) : node.kind === 'broken';
}

/** Of keys that become equal when characters are replaced the last counts, in the order JavaScript keeps: indexes first. */
function inKeyOrder(fields: ReadonlyMap<string, unknown>): Map<string, unknown> {
  const isIndex = (key: string): boolean => /^(?:0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
  const keys = [...fields.keys()];
  const ordered = [
    ...keys.filter(isIndex).sort((a, b) => Number(a) - Number(b)),
    ...keys.filter((key) => !isIndex(key)),
  ];
  return new Map(ordered.map((key) => [key, fields.get(key)]));
}

/** NUL and lone surrogates become U+FFFD. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** The number where a double is the same decimal, else its digits as written. */
function numberMeant(literal: string): number | string {
  const value = Number(literal);
  if (!Number.isFinite(value)) return literal;
  if (ratioOf(literal) !== ratioOf(String(value))) return literal;
  return value === 0 ? 0 : value;
}

/** The decimal as one text: its digits without zeros at the ends, and the place of the last one. */
function ratioOf(literal: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (!parts) throw new Error(`not a number: ${literal}`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)}`;
}
