import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NewEvent } from './logged-event.ts';
import { EventPacker, PackedEvents } from './packed-events.ts';

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
    fc.property(fc.array(event, { maxLength: 20 }), fc.nat({ max: 2_000 }), (events, bytes) => {
      const packer = new EventPacker(bytes);
      for (const each of events) packer.add(each);
      for (const packed of [packer.finish(), PackedEvents.of(events)]) {
        const arrived = new PackedEvents(structuredClone(packed.packed));
        expect([...arrived]).toEqual(events);
        expect([...arrived]).toEqual(events);
        expect(arrived.length).toBe(events.length);
        if (events.length > 0) expect(arrived.firstTeam).toBe(events[0]?.team);
      }
    }),
  );
});

it('sends hardly more memory than it uses, however wrong the guess was', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), fc.nat({ max: 100_000 }), (events, bytes) => {
      const packer = new EventPacker(bytes);
      for (const each of events) packer.add(each);
      const { records } = packer.finish().packed;
      expect(records.buffer.byteLength).toBeLessThanOrEqual(2 * records.length);
    }),
  );
});

it('packs nothing but the same events when what it is given is packed', () => {
  const packed = PackedEvents.of([]);
  expect(PackedEvents.of(packed)).toBe(packed);
});
