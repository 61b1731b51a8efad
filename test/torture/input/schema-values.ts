import type { Random } from '../random.ts';

/** The part of JSON Schema that the OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Values of which many are what a schema asks for, some nearly, and some not at all. */
export interface SchemaValues {
  of(schema: JsonSchema): unknown;
  text(): string;
}

/** `words`: what means something to the API: ids, names, times. */
export function schemaValues(random: Random, words: readonly string[]): SchemaValues {
  const text = (): string => {
    const kind = random.next();
    if (kind < 0.55) return random.pick(words);
    if (kind < 0.85) return random.pick(HOSTILE_TEXTS);
    return Array.from({ length: random.between(0, 30) }, () => String.fromCharCode(random.between(0, 0xffff))).join('');
  };
  const of = (schema: JsonSchema, depth = 0): unknown => {
    if (random.next() < 0.06) return hostile(random, text);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return random.pick(schema.enum);
    if (schema.anyOf) return of(random.pick(schema.anyOf), depth);
    switch (schema.type) {
      case 'object':
        return objectOf(schema, depth);
      case 'array':
        return Array.from({ length: random.pick([0, 1, 1, 2, 3, 101]) }, () => of(schema.items ?? {}, depth + 1));
      case 'string':
        return random.next() < 0.03 ? 'x'.repeat((schema.maxLength ?? 1000) + random.between(0, 1)) : text();
      case 'integer':
      case 'number': {
        const { minimum = 0, maximum = 1000 } = schema;
        return random.pick([minimum, maximum, minimum - 1, maximum + 1, random.between(minimum, maximum), 0.5, 1e300]);
      }
      case 'boolean':
        return random.next() < 0.5;
      case 'null':
        return null;
      default:
        return hostile(random, text);
    }
  };
  const objectOf = ({ properties = {}, required = [] }: JsonSchema, depth: number): unknown => {
    const entries: [string, unknown][] = [];
    for (const [name, schema] of Object.entries(properties))
      if (random.next() < (required.includes(name) ? 0.95 : 0.5)) entries.push([name, of(schema, depth + 1)]);
    if (random.next() < 0.1) entries.push([random.pick(HOSTILE_KEYS), hostile(random, text)]);
    return Object.fromEntries(random.next() < 0.05 ? entries.slice(1) : entries);
  };
  return { of: (schema) => of(schema), text };
}

const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  'then',
  'length',
  '\u0000',
  'id',
  'team',
];

const HOSTILE_TEXTS = [
  ...[
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\ufeff',
    '\u202e',
    '../..',
    '..%2f',
    '%',
    '%00',
    "' OR 1=1 --",
    '"><script>',
    '{{7*7}}',
  ],
  ...[
    '__proto__',
    'constructor',
    'null',
    'undefined',
    'true',
    '-1',
    '0',
    '1e999',
    'NaN',
    '9'.repeat(40),
    'x'.repeat(5_000),
  ],
  ...[
    '1970-01-01',
    '9999-12-31T23:59:59Z',
    '+275760-09-13T00:00:00Z',
    '2026-02-30',
    '::1/0',
    '0.0.0.0/0',
    '1.2.3.4/99',
    'g::1',
  ],
  ...[
    'http://127.0.0.1:1',
    'http://[::1]:1/x?y#z',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'http://user:pw@127.0.0.1:1',
  ],
  ...['é', 'e\u0301', '🙂', '\r\nx: y', '*', '[]', '{}', 'a,b', 'a@b', '"a b"@127.0.0.1', '(a+)+$', 'AAAA'.repeat(30)],
];

function hostile(random: Random, text: () => string): unknown {
  return random.pick([
    () => null,
    () => text(),
    () => [],
    () => ({}),
    () => -0.5,
    () => true,
    () => [[[[text()]]]],
    () => ({ a: { b: { c: text() } } }),
    () => JSON.parse(`{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`) as unknown,
    () => JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as unknown,
    () => Array.from({ length: 2_000 }, () => 0),
  ])();
}
