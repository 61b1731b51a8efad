import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayElements } from './array-elements.ts';

describe('the elements of a JSON array', () => {
  it('are found without parsing, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom('', ' ', '\r\n\t'), (array, space) => {
        const json = `[${space}${array.map((value) => JSON.stringify(value, null, space)).join(`${space},`)}${space}]${space}`;
        expect(elementsOf(json).map((text) => JSON.parse(text!))).toEqual(JSON.parse(json));
      }),
    );
  });

  it('are none in what is no array, and never more than JSON.parse would find', () => {
    for (const json of ['[', '[1', '["', '["\\"', '[{]', '[}', '[]]', '[1] 2', '[{}', '["a]'])
      expect(elementsOf(json).at(-1), json).toBeNull();
    const broken = fc.array(fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', '1', ' ', '"a"'));
    fc.assert(
      fc.property(broken, (tokens) => {
        const json = `[${tokens.join('')}`;
        expect(allJson(elementsOf(json)), json).toBe(isJson(json));
      }),
      { numRuns: 2000 },
    );
  });
});

function elementsOf(json: string): (string | null)[] {
  const bytes = Buffer.from(json);
  return [...arrayElements(bytes, 0)].map((place) => place && bytes.toString('utf8', ...place));
}

function allJson(elements: readonly (string | null)[]): boolean {
  return elements.every((element) => element !== null && isJson(element));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
