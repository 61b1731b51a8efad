import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from './exact-json.ts';

describe('parsing JSON exactly', () => {
  it.each([
    '12345678901234567890',
    '-12345678901234567890',
    '9007199254740993',
    '1e400',
    '-1E+400',
    '1e-400',
    '0.12345678901234567891',
    '123456789.123456789123',
    '1.2345e-320',
  ])('keeps %s as a string of its digits', (literal) => {
    expect(parseExactJson(`{"a":[1, ${literal}],"b":${literal}}`)).toEqual({ a: [1, literal], b: literal });
  });

  it.each([
    ...['0', '-0', '1', '1.0', '1e3', '1E+3', '0.1', '9007199254740991', '9007199254740992', '100000000000000000000'],
    ...[
      '1.00000000000000000000',
      '0.30000000000000004',
      '5e-324',
      '1.7976931348623157e308',
      '0e999',
      '1e23',
      '0.000e-400',
    ],
  ])('leaves %s a number', (literal) => {
    expect(parseExactJson(`[${literal}]`)).toEqual([Number(literal)]);
  });

  it('leaves digits inside strings and keys alone', () => {
    const value = {
      ':12345678901234567890': '\\":12345678901234567890,"',
      a: 'x\\',
      b: ':1e400',
      c: '\\\\',
      d: ',1e400"',
    };
    expect(parseExactJson(JSON.stringify(value))).toEqual(value);
  });

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const json = JSON.stringify(value);
        expect(JSON.stringify(parseExactJson(json))).toBe(json);
      }),
    );
  });

  it('leaves every decimal of 15 digits a number, and makes every one of 18 a string', () => {
    const few = fc.stringMatching(/^-?[1-9]\d{0,6}\.\d{0,6}[1-9]$/);
    const many = fc.stringMatching(/^-?[1-9]\d{0,9}\.\d{16}[1-9]$/);
    fc.assert(
      fc.property(few, many, (short, long) => {
        expect(parseExactJson(`{"a": ${short}, "b":[${long},\t${short}]}`)).toEqual({
          a: Number(short),
          b: [long, Number(short)],
        });
      }),
    );
  });

  it('refuses what JSON.parse refuses, also around long numbers', () => {
    for (const bad of [
      '[01234567890123456789]',
      '{12345678901234567890:1}',
      '[+12345678901234567890]',
      '[1e400',
      '[.1e400]',
    ])
      expect(() => parseExactJson(bad)).toThrow(SyntaxError);
  });

  it('survives a million brackets, escapes or digits', () => {
    const deep = `${'['.repeat(1e6)}1e400${']'.repeat(1e6)}`;
    expect(() => parseExactJson(deep)).not.toThrow();
    expect(parseExactJson(`["${'\\n'.repeat(1e6)}",1e400]`)).toEqual(['\n'.repeat(1e6), '1e400']);
    expect(parseExactJson(`[1${'0'.repeat(1e6)}1]`)).toEqual([`1${'0'.repeat(1e6)}1`]);
  });
});
