import fc from 'fast-check';
import type { JsonNode } from './json-text.ts';

/** Times as producers write them, and as they are stored; null: no time that exists or that we read. */
export const TIMES: readonly (readonly [sent: string, stored: string | null])[] = [
  ['2026-01-15T10:30:00.123Z', '2026-01-15T10:30:00.123Z'],
  ['2026-01-15 10:30:00.123456', '2026-01-15T10:30:00.123Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['2100-02-28T23:59:59Z', '2100-02-28T23:59:59.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
  ['2026-01-15T10:30:00+14:00', '2026-01-14T20:30:00.000Z'],
  ['2026-01-15T10:30:00-12:00', '2026-01-15T22:30:00.000Z'],
  [`2026-01-15T10:30:00.${'9'.repeat(1000)}Z`, '2026-01-15T10:30:00.999Z'],
  ['2100-02-29T00:00:00Z', null],
  ['2026-02-30T00:00:00Z', null],
  ['+020260-01-01T00:00:00Z', null],
  ['12026-01-01T00:00:00Z', null],
  ['-000001-01-01T00:00:00Z', null],
  ['9999-12-31T23:59:59-23:59', null],
  ['0000-01-01T00:00:00+14:00', null],
  ['2026-01-15T24:30:00Z', null],
  ['2026-13-01T00:00:00Z', null],
  ['1768473000', null],
  ['now', null],
  ['', null],
  ['\u0000', null],
  ['２０２６-01-15T10:30:00Z', null],
];

/** Ids by what stands around the number that makes each its own; whether they are one of an event. */
export const IDS: readonly (readonly [make: (n: string) => string, isAnId: boolean])[] = [
  [(n) => `plain-${n}`, true],
  [(n) => `%2e%2e%2f${n}`, true],
  [(n) => `%${n}%zz%00?&#=+;`, true],
  [(n) => `..${n}`, true],
  [(n) => `__proto__${n}`, true],
  [(n) => `"'<b>&\\${n}`, true],
  [(n) => `{{${n}}}$x`, true],
  [(n) => n.padStart(128, '~'), true],
  [(n) => n.padStart(129, '~'), false],
  [(n) => `with space ${n}`, false],
  [(n) => `with/slash/${n}`, false],
  [(n) => `é${n}`, false],
  [(n) => `nul\u0000${n}`, false],
  [(n) => `\ud800${n}`, false],
  [(n) => `line\n${n}`, false],
  [() => '', false],
];

const KEYS = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'toJSON', 'length'],
  ...['', ' ', '0', '-1', '4294967294', 'a.b', 'a/b', '$ref', '$where', '@timestamp', '_id', 'sequence', 'receivedAt'],
  ...['\u0000', '\ud800', '\udfff', '\ufffd', '\ufeff', '\u202e', 'é', 'e\u0301', '🙂', 'x'.repeat(1000)],
];

const TEXTS = [
  ...[
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\udc00x',
    '\ufffd',
    '\ufeff',
    '\u2028\u2029',
    '\u202eevil\u202c',
    '\r\n\t\u001b[2J',
  ],
  ...[
    'Z̷̧̛a̴l̵g̶o̷',
    'עברית',
    'العربية',
    '👩‍👩‍👧‍👦',
    '\u{10ffff}',
    '=cmd|"/c calc"!A1',
    '+1',
    '@SUM(1)',
    '\t=1+1',
    'a"b',
    'a\\b',
  ],
  ...[
    'null',
    'true',
    '0',
    '[]',
    '{}',
    '</script><script>',
    "' OR 1=1 --",
    '%00',
    '%{jndi:ldap://x}',
    '{"a":1}',
    'a|b=c\td',
  ],
  ...['LEEF:2.0|', 'devTime=0', '<13>1 - -', '\u0085', '\u0007', '１２３'],
];

const NUMBERS = [
  ...[
    '0',
    '-0',
    '-0.0',
    '0e0',
    '1',
    '1.0',
    '1.50',
    '1e400',
    '-1e400',
    '1e-400',
    '5e-324',
    '4e-324',
    '1e308',
    '1E+0400',
  ],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '18446744073709551615'],
  ...['0.1', '0.30000000000000004', '0.1000000000000000055511151231257827', '123456789012345678', '1e21', '1e-7'],
  ...[
    '9'.repeat(400),
    `0.${'3'.repeat(400)}`,
    `1${'0'.repeat(400)}`,
    '1e99999999999999999999',
    '0e99999999999999999999',
  ],
];

const text: fc.Arbitrary<JsonNode> = fc
  .oneof(
    { weight: 40, arbitrary: fc.constantFrom(...TEXTS) },
    {
      weight: 2,
      arbitrary: fc.array(fc.nat(0x10ffff), { maxLength: 20 }).map((points) => String.fromCodePoint(...points)),
    },
    // Any code unit: also half a character.
    {
      weight: 20,
      arbitrary: fc.array(fc.nat(0xffff), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
    },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 40_000 }).map((length) => 'ÿ'.repeat(length)) },
  )
  .map((value) => ({ kind: 'text', text: value }));

const number: fc.Arbitrary<JsonNode> = fc
  .oneof(
    fc.constantFrom(...NUMBERS),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  )
  .map((literal) => ({ kind: 'number', literal }));

const word: fc.Arbitrary<JsonNode> = fc
  .constantFrom('true', 'false', 'null')
  .map((literal) => ({ kind: 'word', literal }));

export const hostileKey: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 20 }));

const { tree } = fc.letrec<{ tree: JsonNode; leaf: JsonNode }>((tie) => ({
  leaf: fc.oneof(text, number, word),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 4 }).map((items): JsonNode => ({ kind: 'array', items })),
    fc
      .array(fc.tuple(hostileKey, tie('tree')), { maxLength: 5 })
      .map((entries): JsonNode => ({ kind: 'object', entries })),
  ),
}));

/** Any JSON value, and now and then what is none. */
export const hostileValue: fc.Arbitrary<JsonNode> = fc.oneof(
  { weight: 30, arbitrary: tree },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(10, 60, 62, 63, 64, 65, 1000), fc.constantFrom('array' as const, 'object' as const))
      .map(([levels, of]): JsonNode => ({ kind: 'deep', levels, of })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('NaN', 'Infinity', '-Infinity', 'undefined', '01', '+1', '1.', '.5', '0x10', "'a'", '"\t"', '"\\x"')
      .map((literal): JsonNode => ({ kind: 'broken', literal })),
  },
);
