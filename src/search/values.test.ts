import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Values } from './values.ts';

it('numbers texts in the order in which they are met first', () => {
  const values = new Values();
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[ab]{0,6}$/),
    fc.constant('x'.repeat(10_000)),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 300 }), (texts) => {
      values.clear();
      const distinct = new Map<string, number>();
      for (const one of texts) {
        const bytes = Buffer.from(`<${one}>`);
        const key = bytes.toString();
        if (!distinct.has(key)) distinct.set(key, distinct.size + 1);
        expect(values.numberOf(bytes, 1, bytes.length - 1)).toBe(distinct.get(key));
        expect(values.count).toBe(distinct.size);
      }
    }),
  );
});
