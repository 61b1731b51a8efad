import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withPlace } from './logged-event.ts';
import { normalise } from './normalise.ts';
import { truncateEvent } from './truncate.ts';

const now = Date.parse('2026-01-15T12:00:00.000Z');
const identity = {
  timestamp: '2026-01-15T10:30:00.000Z',
  id: 'e1',
  eventType: 'gateway.created',
  eventCategory: 'gateway',
  actor: { id: 'u1', type: 'user' },
};

describe('an event too large for a SIEM', () => {
  it('is left alone when it fits to the byte', () => {
    const json = logged({ metadata: { note: 'é'.repeat(100) } });
    expect(truncateEvent(json, Buffer.byteLength(json))).toBe(json);
    expect(truncateEvent(json, Buffer.byteLength(json) - 1)).not.toBe(json);
  });

  it('loses of its largest part only what is too much, and says so', () => {
    const metadata = { big: 'x'.repeat(10_000), small: 1, list: [1, 2, 3] };
    const cut = JSON.parse(truncateEvent(logged({ description: 'kept', metadata }), 2_000) ?? '');
    expect(cut).toMatchObject({
      ...identity,
      sequence: 7,
      receivedAt: '2026-01-15T12:00:00.000Z',
      description: 'kept',
      context: { teamId: 'acme' },
      metadata: { small: 1, list: [1, 2, 3], big: expect.stringMatching(/^x{1000,}…$/) },
      trailproof: { truncated: [{ path: 'metadata', bytes: JSON.stringify(metadata).length }] },
    });
    expect(Object.keys(cut.metadata)).toEqual(['big', 'small', 'list']);
  });

  it('loses parts one after the other, the largest first, before anything about the actor', () => {
    const parts = {
      description: 'd'.repeat(3_000),
      metadata: { a: 'm'.repeat(5_000) },
      actor: { ...identity.actor, name: 'n'.repeat(200) },
      extra: 'u'.repeat(4_000),
    };
    const { trailproof, actor } = JSON.parse(truncateEvent(logged(parts), 800) ?? '');
    expect(trailproof.truncated.map(({ path }: { path: string }) => path)).toEqual([
      ...['metadata', 'trailproof.unknownFields', 'description'],
    ]);
    expect(actor).toEqual(parts.actor);
    const smaller = JSON.parse(truncateEvent(logged(parts), 600) ?? '');
    expect(smaller).toMatchObject({ ...identity, trailproof: { truncated: { length: 4, 3: { path: 'actor.name' } } } });
  });

  it('keeps the beginning of a list and the smallest fields of nested objects', () => {
    const metadata = { list: Array.from({ length: 500 }, (_, i) => ({ i, text: 'text' })) };
    const { list } = JSON.parse(truncateEvent(logged({ metadata }), 2_000) ?? '').metadata;
    expect(list.length).toBeGreaterThan(30);
    expect(list.slice(0, -1)).toEqual(metadata.list.slice(0, list.length - 1));
  });

  it('is beyond cutting only when what identifies it does not fit', () => {
    expect(truncateEvent(logged({ actor: { id: 'x'.repeat(1_000) } }), 500)).toBeNull();
    expect(truncateEvent(logged({ eventType: 'x'.repeat(1_000) }), 500)).toBeNull();
    expect(truncateEvent(logged({}), 50)).toBeNull();
  });

  it('is always valid, small enough, well-formed and itself', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', '\n', '\u0001', 'é', '€', '😀'), maxLength: 400 });
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.array(tie('any')),
        fc.dictionary(text, tie('any')),
      ),
    })).any;
    const parts = fc.record(
      {
        description: text,
        failureReason: text,
        metadata: fc.dictionary(text, value),
        extra: value,
        context: fc.record({ userAgent: text }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(parts, fc.integer({ min: 420, max: 3_000 }), (sent, maxBytes) => {
        const cut = truncateEvent(logged(sent), maxBytes) ?? '';
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(maxBytes);
        expect(cut.startsWith('{"timestamp":"2026-01-15T10:30:00.000Z","sequence":7,"receivedAt":"')).toBe(true);
        expect(JSON.parse(cut)).toMatchObject({ ...identity, context: { teamId: 'acme' } });
        expect(cut).not.toMatch(/\\ud[89a-f]/);
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});

function logged(parts: object): string {
  const event = normalise({ ...identity, ...parts }, { team: 'acme', now });
  if ('code' in event) throw new Error(event.message);
  return withPlace(event.json, 7, now);
}
