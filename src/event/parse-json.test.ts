import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './parse-json.ts';

/** What V8 must have seen for the key after it to be misread. */
const seen: unknown[] = [];

describe('a key written with an escape', () => {
  it.each([
    ['{"h":[],"\\\\":0}', '{"h":1,"\\n":2}', { h: 1, '\n': 2 }],
    ['{"i":[],"\\\\":0}', '{"i":1,"\\"":2}', { i: 1, '"': 2 }],
    ['{"j":[],"\\\\u0":0}', '{"j":1,"\\u00e9t\\u00e9":2}', { j: 1, été: 2 }],
    ['{"k":[],"a\\\\n":0}', '{"k":1,"a\\nb" : 2}', { k: 1, 'a\nb': 2 }],
    ['{"l":[],"\\\\":0}', '{"l":1,"\\ud800":[{"l":1,"\\f":2}]}', { l: 1, '\ud800': [{ l: 1, '\f': 2 }] }],
  ])('is not taken for one that was seen in %s: %s', (before, json, expected) => {
    seen.push(JSON.parse(before));
    expect(parseJson(json)).toEqual(expected);
  });

  it('is one of equal keys, and may be called __proto__', () => {
    expect(parseJson('{"a":1,"\\u0061":2,"b":3,"\\u0031":4,"1":5}')).toEqual({ 1: 5, a: 2, b: 3 });
    const object = parseJson('{"\\u005f_proto__":{"x":1},"__proto__":{"y":"\\"}"}}') as object;
    expect(Object.keys(object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(JSON.stringify(object)).toBe('{"__proto__":{"y":"\\"}"}}');
  });

  it('changes nothing else of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\r\n\t'), (value, space) => {
        const json = JSON.stringify([{ '\n': value, 'x\u0001y': [value, '\\":{}[]'] }], null, space);
        expect(JSON.stringify(parseJson(json), null, space)).toBe(json);
      }),
    );
  });

  it('does not exhaust stack or time', () => {
    const deep = `{"\\n":${'['.repeat(500_000)}${']'.repeat(500_000)},"b":"${'\\n'.repeat(500_000)}${'x'.repeat(1_000_000)}"}`;
    expect(Object.keys(parseJson(deep) as object)).toEqual(['\n', 'b']);
    expect(parseJson(`"${'\\n'.repeat(1_000_000)}"`)).toHaveLength(1_000_000);
  });

  it('is refused like any other in what is no JSON', () => {
    for (const json of ['{"\\n":1', '{"\\n" 1}', '{"\\x":1}', '{"\\n":1}}', ''])
      expect(() => parseJson(json)).toThrow(SyntaxError);
  });
});
