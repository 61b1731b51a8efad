import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prettyJson } from './pretty-json.ts';

describe('JSON for reading', () => {
  it('looks as JSON.stringify would print it', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const compact = JSON.stringify(JSON.parse(json));
        expect(prettyJson(compact)).toBe(JSON.stringify(JSON.parse(compact), null, 2));
      }),
    );
  });

  it('leaves every token as it stands: large numbers, escapes, repeated keys', () => {
    expect(prettyJson('{"n":12345678901234567890.10,"n":1,"t":"\\u0041, {\\"x\\":[1]}","e":{ },"l":[]}')).toBe(
      '{\n  "n": 12345678901234567890.10,\n  "n": 1,\n  "t": "\\u0041, {\\"x\\":[1]}",\n  "e": { },\n  "l": []\n}',
    );
  });
});
