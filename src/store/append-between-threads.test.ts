import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NewEvent } from '../event/logged-event.ts';
import { type AppendByColumns, appendByColumns, appendThrough } from './append-between-threads.ts';
import type { Appended } from './event-log.ts';

const event: fc.Arbitrary<NewEvent> = fc.record({
  team: fc.string({ unit: 'binary' }),
  id: fc.string(),
  eventType: fc.string({ unit: 'binary' }),
  eventCategory: fc.string({ unit: 'binary' }),
  timestamp: fc.integer(),
  hash: fc.string(),
  json: fc.object().map((object) => JSON.stringify(object)),
});
const outcome: fc.Arbitrary<Appended> = fc.record({
  kind: fc.constantFrom('appended', 'duplicate', 'conflict'),
  sequence: fc.integer({ min: 1 }),
});

it('gives the log the events as they are and the caller the outcomes as they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(event, outcome)), async (pairs) => {
      const events = pairs.map(([sent]) => sent);
      const outcomes = pairs.map(([, answer]) => answer);
      let received: readonly NewEvent[] = [];
      const remote = appendByColumns({
        append: async (given) => {
          received = given;
          return outcomes;
        },
      });
      const cloned: AppendByColumns = {
        append: async (columns) => structuredClone(await remote.append(structuredClone(columns))),
      };
      expect(await appendThrough(cloned)(events)).toEqual(outcomes);
      expect(received).toEqual(events);
    }),
  );
});
