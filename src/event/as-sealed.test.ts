import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSealed } from './as-sealed.ts';
import { parseExactJson } from './exact-json.ts';
import { type Arrival, normalise } from './normalise.ts';

const arrival: Arrival = { team: 'acme', now: Date.parse('2026-01-15T12:00:00.000Z') };
const event = {
  timestamp: '2026-01-15T10:30:00.000Z',
  id: 'e1',
  version: '1.0',
  eventType: 'auth.login.failure',
  eventCategory: 'authentication',
  status: 'failure',
  description: 'Sign-in "refused"\n',
  failureReason: '\\',
  actor: { id: 'usr_1', type: 'user', name: 'Zoë 🙂', email: 'zoe@acme.example' },
  target: { name: 'Équipe' },
  context: { teamId: 'acme', ipAddress: '203.0.113.7', userAgent: '', requestId: 'r' },
  changes: { current: { on: true }, previous: {} },
  metadata: {
    attempt: 3,
    empty: [],
    list: [0, -1.5, 0.000001, 123456789012345, null, 'x'],
    nested: { a: { b: [[]] } },
  },
};

describe('an event in canonical form', () => {
  it('is taken as it came', () => {
    const json = JSON.stringify(event);
    const bytes = Buffer.from(`[${json},`);
    const { json: sealed, ...rest } = normalise(event, arrival) as { json: string };
    expect(asSealed(bytes, 1, arrival)).toEqual({ ...rest, begin: 1, end: bytes.length - 1 });
    expect(sealed).toBe(json);
  });

  it('is so with as little as an event needs, and for the key of the installation', () => {
    const { timestamp, id, version, eventType, eventCategory, status } = event;
    const least = { timestamp, id, version, eventType, eventCategory, status, context: { teamId: 'acme' } };
    for (const team of ['acme', null])
      expect(asSealed(Buffer.from(JSON.stringify(least)), 0, { ...arrival, team })).toMatchObject({ team: 'acme' });
  });

  it.each([
    ['another team', { context: { teamId: 'globex' } }],
    ['an alias of a type', { eventType: 'login.failure' }],
    ['a type without name', { eventType: '' }],
    ['another word for a status', { status: 'ok' }],
    ['a time in another form', { timestamp: '2026-01-15 10:30:00.000Z' }],
    ['a time that does not exist', { timestamp: '2026-02-30T10:30:00.000Z' }],
    ['a time in the future', { timestamp: '2026-01-15T13:30:00.000Z' }],
    ['an id with a space', { id: 'e 1' }],
    ['an object without fields', { actor: {} }],
    ['a field that is not known', { color: 'red' }],
    ['keys in another order', { metadata: { b: 1, a: 2 } }],
    ['a key that looks like an index', { metadata: { a: 1, 7: 2 } }],
    ['a number that a double cannot hold', { metadata: { n: 1e21 } }],
    ['a NUL', { description: 'a\0b' }],
    ['what is missing', { description: null }],
  ])('is not: %s', (_, change) => {
    const bytes = Buffer.from(JSON.stringify({ ...event, ...change }));
    expect(asSealed(bytes, 0, arrival)).toBeUndefined();
  });

  it('is never taken for what parsing would make of it', () => {
    const json = JSON.stringify(event);
    const snippet = fc.constantFrom(
      ...[' ', '"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', '.', 'e', '1', 'true', '\\u0041', '\\/', '\t', 'é'],
      ...[
        '"id":"2",',
        '"a":1,',
        '"__proto__":{},',
        '"sequence":1,',
        '"trailproof":{},',
        ',"changes":{}',
        '{}',
        '1e3',
        '00',
      ],
    );
    const edit = fc.record({ at: fc.nat(json.length), cut: fc.nat({ max: 12 }), snippet: fc.option(snippet) });
    let taken = 0;
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 3 }), (edits) => {
        const text = edits.reduce(
          (sofar, { at, cut, snippet: put }) => sofar.slice(0, at) + (put ?? '') + sofar.slice(at + cut),
          json,
        );
        const bytes = Buffer.from(text);
        const sealed = asSealed(bytes, 0, arrival);
        if (!sealed) return;
        taken++;
        const { begin, end, ...rest } = sealed;
        const sent = bytes.toString('utf8', begin, end);
        expect({ ...rest, json: sent }).toEqual(normalise(parseExactJson(sent), arrival));
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(1000);
  });

  it('may hold whatever JSON has in it, in order', () => {
    const key = fc.string({ unit: 'grapheme-ascii', maxLength: 5 });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 5 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.constantFrom(0, -0, 1e-6, 1e-7, 0.1, 1.1, 1e15, 999_999_999_999_999, null, true, false),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (metadata) => {
        const json = JSON.stringify({ ...event, metadata });
        const sealed = asSealed(Buffer.from(json), 0, arrival);
        if (!sealed) return;
        const { begin, end, ...rest } = sealed;
        expect({ ...rest, json }).toEqual(normalise(parseExactJson(json), arrival));
        expect([begin, end]).toEqual([0, Buffer.byteLength(json)]);
      }),
      { numRuns: 5000 },
    );
  });
});
