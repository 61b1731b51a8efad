import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withPlace } from '../../event/logged-event.ts';
import { PackedEvents } from '../../event/packed-events.ts';
import { Slabs, TailEvent } from './tail-event.ts';

const text = fc.string({ unit: 'binary', maxLength: 300_000, size: '+1' }).map((content) => content.toWellFormed());

it('keeps events of any length side by side as they were given', () => {
  const slabs = new Slabs();
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          content: text,
          hash: fc.string({ unit: fc.constantFrom(...'0123456789abcdef_-'), maxLength: 600 }),
          isNew: fc.boolean(),
          sequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        }),
      ),
      (given) => {
        const at = Date.UTC(2026, 0, 15);
        const events = given.map(({ content, hash, isNew, sequence }, i) => {
          const json = JSON.stringify({ timestamp: new Date(at).toISOString(), content });
          const event = {
            id: `e-${i}`,
            eventType: 'auth.logout',
            eventCategory: 'authentication',
            timestamp: at,
            hash,
            json,
          };
          const place = { sequence, receivedAt: at + Math.floor(i / 2) };
          const placed = withPlace(json, place.sequence, place.receivedAt);
          const cursor = PackedEvents.of([{ ...event, team: 'a' }]).cursor();
          cursor.next();
          const lies = isNew
            ? slabs.append(cursor, place.sequence, place.receivedAt)
            : slabs.add({ ...event, json: placed }, place.receivedAt);
          return {
            kept: new TailEvent({ ...event, ...place, team: 'a' }, lies),
            expected: { ...event, ...place, json: placed },
          };
        });
        for (const { kept, expected } of events) {
          const { id, sequence, timestamp, receivedAt, hash, eventType, eventCategory, json, bytes } = kept;
          expect({ id, sequence, timestamp, receivedAt, hash, eventType, eventCategory, json }).toEqual(expected);
          const copy = Buffer.alloc(bytes + 2);
          kept.copyTo(copy, 1);
          expect(copy.toString('utf8', 1, bytes + 1)).toBe(json);
          expect([copy[0], copy.at(-1)]).toEqual([0, 0]);
        }
      },
    ),
  );
});
