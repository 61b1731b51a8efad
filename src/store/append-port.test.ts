import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NewEvent } from '../event/logged-event.ts';
import { PackedEvents } from '../event/packed-events.ts';
import { connectAppend, exposeAppend } from './append-port.ts';
import { newEvent } from './conformance-fixture.ts';
import type { Appended } from './event-log.ts';

const sequence = fc.integer({ min: 1 });
const outcome: fc.Arbitrary<Appended> = fc.oneof(
  fc.record({ kind: fc.constantFrom('appended', 'duplicate', 'conflict'), sequence }),
  fc.constant({ kind: 'team_deleted' } as const),
);

it('appends on the other thread as if it were here, small calls and large ones', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(outcome, { minLength: 1 }), fc.boolean(), async (outcomes, isPacked) => {
      const events = outcomes.map((_, i) => newEvent(`team-${i % 3}`, `event-${i}`, 'é'.repeat(i * 50)));
      let received: readonly NewEvent[] = [];
      const exposed = exposeAppend({
        append: async (arrived) => {
          received = [...arrived];
          return outcomes;
        },
      });
      const append = connectAppend({
        append: async (packed) => structuredClone(await exposed.append(structuredClone(packed))),
      });
      expect(await append(isPacked ? PackedEvents.of(events) : events)).toEqual(outcomes);
      expect(received).toEqual(events);
    }),
  );
});
