import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ColumnEvents, toColumns } from './columns.ts';
import type { NewEvent } from './logged-event.ts';

const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 });
const event = fc
  .record({
    ...{ team: name, id: name, eventType: name, eventCategory: name, hash: name },
    timestamp: fc.integer({ min: -8.64e15, max: 8.64e15 }),
    content: fc.string({ unit: 'binary' }),
  })
  .map(({ content, ...rest }): NewEvent => ({ ...rest, json: JSON.stringify({ content: content.toWellFormed() }) }));

it('brings every event to the other thread as it was, each time it is asked', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), (events) => {
      const arrived = new ColumnEvents(structuredClone(toColumns(events)));
      const plain = (): NewEvent[] =>
        Array.from(arrived, ({ utf8, ...rest }) => {
          expect(utf8?.toString()).toBe(rest.json);
          return rest;
        });
      expect(plain()).toEqual(events);
      expect(plain()).toEqual(events);
      expect(arrived.length).toBe(events.length);
    }),
  );
});
