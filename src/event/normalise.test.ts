import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from './catalogue.ts';
import { type NewEvent, withPlace } from './logged-event.ts';
import { type Arrival, normalise } from './normalise.ts';
import type { Rejection } from './rejection.ts';
import { AuditEvent, FlatEvent, SdkEvent } from './schema.ts';

const now = Date.parse('2026-01-15T12:00:00.000Z');
const arrival: Arrival = { team: 'acme', now };
const flat = {
  timestamp: '2026-01-15T10:30:00.000Z',
  id: 'e1',
  eventType: 'gateway.created',
  eventCategory: 'gateway',
};

describe('the flat form', () => {
  it('is stored field by field, in the fixed order', () => {
    const sent = {
      metadata: { z: 1, a: [true, null] },
      changes: { previous: { on: false }, current: { on: true } },
      context: { requestId: 'r', teamId: 'acme', sessionId: 's', userAgent: 'u', ipAddress: '::ffff:1.2.3.4' },
      target: { name: 'T', id: 't', type: 'gateway' },
      actor: { email: 'Ann@Acme.example', name: 'Ann', type: 'user', id: 'u1' },
      failureReason: 'why',
      description: 'what',
      status: 'failure',
      version: '2.1',
      ...flat,
    };
    expect(accepted(sent)).toMatchObject({
      team: 'acme',
      id: 'e1',
      eventType: 'gateway.created',
      eventCategory: 'gateway',
      timestamp: Date.parse(flat.timestamp),
      json: '{"timestamp":"2026-01-15T10:30:00.000Z","id":"e1","version":"2.1","eventType":"gateway.created","eventCategory":"gateway","status":"failure","description":"what","failureReason":"why","actor":{"id":"u1","type":"user","name":"Ann","email":"Ann@Acme.example"},"target":{"type":"gateway","id":"t","name":"T"},"context":{"teamId":"acme","ipAddress":"::ffff:1.2.3.4","userAgent":"u","sessionId":"s","requestId":"r"},"changes":{"previous":{"on":false},"current":{"on":true}},"metadata":{"z":1,"a":[true,null]}}',
    });
  });

  it('needs no more than timestamp, type and team', () => {
    const { id, json } = accepted({ timestamp: flat.timestamp, eventType: 'auth.logout' });
    expect(JSON.parse(json)).toEqual({
      timestamp: flat.timestamp,
      id,
      version: '1.0',
      eventType: 'auth.logout',
      eventCategory: 'authentication',
      status: 'success',
      context: { teamId: 'acme' },
    });
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('may say null for whatever it has not', () => {
    const nothing = { actor: null, target: null, context: null, changes: null, metadata: null, description: null };
    const more = { version: null, status: null, failureReason: null, eventCategory: null, event: null };
    const sent = { id: 'e1', timestamp: flat.timestamp, eventType: 'auth.logout' };
    expect(accepted({ ...sent, ...nothing, ...more }).json).toBe(accepted(sent).json);
    expect(accepted({ ...sent, id: null }).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(stored({ ...flat, actor: { id: null }, target: {} })).not.toHaveProperty('actor');
  });
});

describe('the SDK form', () => {
  const sdk = {
    version: '1.0',
    id: 'e1',
    timestamp: '2026-01-15 10:30:00.123999',
    team_id: 'acme',
    event: {
      type: 'login.failure',
      category: 'authentication',
      description: 'd',
      status: 'failure',
      error_message: 'r',
    },
    actor: { id: 'u', email: 'e@x', type: 'user' },
    target: { type: 'user', id: 'u', name: 'n' },
    context: { ip_address: '1.2.3.4', user_agent: 'ua', session_id: 's', request_id: 'r' },
    changes: { previous: { a: 1 }, current: { a: 2 } },
    metadata: { snake_case: 1 },
  };
  const same = {
    id: 'e1',
    timestamp: '2026-01-15T10:30:00.123Z',
    eventType: 'auth.login.failure',
    eventCategory: 'authentication',
    description: 'd',
    status: 'failure',
    failureReason: 'r',
    actor: { id: 'u', email: 'e@x', type: 'user' },
    target: { type: 'user', id: 'u', name: 'n' },
    context: { teamId: 'acme', ipAddress: '1.2.3.4', userAgent: 'ua', sessionId: 's', requestId: 'r' },
    changes: { previous: { a: 1 }, current: { a: 2 } },
    metadata: { snake_case: 1 },
  };

  it('is the same event as the flat form, with the same hash', () => {
    expect(accepted(sdk, { team: null, now })).toEqual(accepted(same, { team: null, now }));
  });

  it('mixes with the flat form', () => {
    expect(accepted({ ...same, context: sdk.context, team_id: 'acme' })).toEqual(accepted(same));
    expect(accepted({ ...sdk, context: same.context })).toEqual(accepted(same));
    expect(stored({ ...sdk, description: 'flat' })).toMatchObject({
      description: 'flat',
      trailproof: { unknownFields: { 'event.description': 'd' } },
    });
  });

  it('matches its published schema, as the flat form does', () => {
    expect(Compile(SdkEvent).Check(sdk)).toBe(true);
    expect(Compile(FlatEvent).Check(same)).toBe(true);
  });
});

describe('a field', () => {
  it.each(EVENT_TYPES.flatMap(({ type, aliases, category }) => aliases.map((alias) => [alias, type, category])))(
    'eventType %s is stored as %s',
    (alias, type, category) => {
      expect(accepted({ timestamp: flat.timestamp, eventType: alias })).toMatchObject({
        eventType: type,
        eventCategory: category,
      });
    },
  );

  it('eventCategory is kept as it came, and else the catalogue’s', () => {
    expect(accepted({ ...flat, eventType: 'logout', eventCategory: 'Mine' }).eventCategory).toBe('Mine');
    expect(accepted({ ...flat, eventType: 'logout', eventCategory: '' }).eventCategory).toBe('authentication');
  });

  it.each([
    ...['success', 'OK', 'Succeeded'].map((word) => [word, undefined, 'success']),
    ...['failure', 'FAILED', 'error', 'Denied'].map((word) => [word, undefined, 'failure']),
    ...[undefined, null, ''].flatMap((none) => [
      [none, undefined, 'success'],
      [none, '', 'success'],
      [none, 'expired', 'failure'],
    ]),
    ['success', 'expired', 'success'],
  ])('status %j with the reason %j is %s', (status, failureReason, result) => {
    expect(stored({ ...flat, status, failureReason })).toHaveProperty('status', result);
  });

  it.each(['a', '!', '~'.repeat(128), 'user:1@x#2'])('id %j is kept', (id) => {
    expect(accepted({ ...flat, id }).id).toBe(id);
  });

  it('sequence and receivedAt of an event out of a log are ignored, so it can be sent again', () => {
    const event = accepted(flat);
    const logged = JSON.parse(withPlace(event.json, 7, now));
    expect(accepted(logged)).toEqual(event);
    expect(stored({ ...flat, sequence: 7 })).toHaveProperty('trailproof.unknownFields', { sequence: 7 });
  });

  it('that we do not know is kept by its path', () => {
    const sent = {
      ...flat,
      severity: 3,
      nothing: null,
      event: 'text',
      actor: { id: 'u', department: { name: 'IT' } },
      target: { id: 't', tags: ['x'] },
      context: { geo: { city: 'Bilbao' }, teamId: 'acme' },
    };
    expect(stored(sent)).toHaveProperty('trailproof.unknownFields', {
      severity: 3,
      nothing: null,
      event: 'text',
      'actor.department': { name: 'IT' },
      'target.tags': ['x'],
      'context.geo': { city: 'Bilbao' },
    });
    const sdk = { timestamp: flat.timestamp, event: { type: 'logout', code: 1 }, actor: { x: 1 } };
    expect(stored(sdk)).toHaveProperty('trailproof.unknownFields', { 'event.code': 1, 'actor.x': 1 });
    expect(stored(sdk)).not.toHaveProperty('actor');
  });

  it('called __proto__ or constructor is data like any other', () => {
    const json = `{"timestamp":"${flat.timestamp}","id":"e","eventType":"logout","__proto__":{"polluted":1},"constructor":2,
      "actor":{"__proto__":{"polluted":2}},"metadata":{"__proto__":{"polluted":3},"toString":1}}`;
    const event = accepted(JSON.parse(json));
    expect(event.json).toContain('"metadata":{"__proto__":{"polluted":3},"toString":1}');
    expect(event.json).toContain('"__proto__":{"polluted":1},"constructor":2,"actor.__proto__":{"polluted":2}');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a mark', () => {
  it.each([
    ['2026-01-15T13:00:00.000Z', undefined],
    ['2026-01-15T13:00:00.001Z', 'future'],
    ['2025-01-14T12:00:00.000Z', undefined],
    ['2025-01-14T11:59:59.999Z', 'past'],
  ])('of the clock: %s is %s', (timestamp, clock) => {
    const event = stored({ ...flat, timestamp });
    expect(event['trailproof']).toEqual(clock && { clock });
  });

  it('of the clock does not change the hash', () => {
    const later = { ...arrival, now: now + 400 * 86_400_000 };
    expect(accepted(flat, later).json).toContain('"clock":"past"');
    expect(accepted(flat, later).hash).toBe(accepted(flat).hash);
  });

  it('counts NULs and lone surrogates that became U+FFFD, in keys too', () => {
    const sent = {
      ...flat,
      description: 'a\0b\ud800',
      actor: { name: '\udc00😀' },
      metadata: { 'k\0': '\\u0000 \\\0' },
    };
    const event = stored(sent);
    expect(event).toMatchObject({
      description: 'a\ufffdb\ufffd',
      actor: { name: '\ufffd😀' },
      metadata: { 'k\ufffd': '\\u0000 \\\ufffd' },
      trailproof: { replacedCharacters: 5 },
    });
    expect(stored({ ...flat, description: '\\u0000 \u0001\u007f' })).toMatchObject({
      description: '\\u0000 \u0001\u007f',
    });
  });
});

describe('a rejection', () => {
  const rules: readonly (readonly [code: string, path: string, sent: unknown, arrival?: Arrival])[] = [
    ...[null, 5, 'text', true, [], [flat]].map((sent) => ['invalid_event', '', sent] as const),
    ['reserved_field', 'trailproof', { ...flat, trailproof: null }],
    ['reserved_field', 'trailproof', { ...flat, trailproof: { clock: 'past' } }],
    ['missing_field', 'timestamp', { ...flat, timestamp: undefined }],
    ['missing_field', 'timestamp', { ...flat, timestamp: '' }],
    ['missing_field', 'eventType', { ...flat, eventType: null }],
    ['missing_field', 'event.type', { timestamp: flat.timestamp, event: {} }],
    ['invalid_timestamp', 'timestamp', { ...flat, timestamp: 1768473000 }],
    ['invalid_timestamp', 'timestamp', { ...flat, timestamp: '1768473000' }],
    ['invalid_timestamp', 'timestamp', { ...flat, timestamp: '2026-02-30T00:00:00Z' }],
    ...['', 'a b', 'a/b', 'é', 'a\n', 'a\0', 'x'.repeat(129), 7, {}].map(
      (id) => ['invalid_id', 'id', { ...flat, id }] as const,
    ),
    ['invalid_status', 'status', { ...flat, status: 'maybe' }],
    ['invalid_status', 'status', { ...flat, status: 200 }],
    ['invalid_status', 'event.status', { timestamp: flat.timestamp, event: { type: 'logout', status: ' ok' } }],
    ['unknown_category', 'eventCategory', { ...flat, eventCategory: undefined }],
    ['unknown_category', 'event.category', { timestamp: flat.timestamp, event: { type: 'mine' } }],
    ['team_required', 'context.teamId', flat, { team: null, now }],
    ['team_required', 'team_id', { timestamp: flat.timestamp, event: { type: 'logout' } }, { team: null, now }],
    ['team_mismatch', 'context.teamId', { ...flat, context: { teamId: 'other' } }],
    ['team_mismatch', 'team_id', { ...flat, team_id: 'other' }],
    ['team_mismatch', 'team_id', { ...flat, team_id: 'b', context: { teamId: 'a' } }, { team: null, now }],
    ['invalid_team', 'context.teamId', { ...flat, context: { teamId: '_installation' } }, { team: null, now }],
    ['invalid_team', 'team_id', { ...flat, team_id: 'x'.repeat(129) }, { team: null, now }],
    ['invalid_team', 'team_id', { ...flat, team_id: 7 }, { team: null, now }],
    ['invalid_event', 'actor', { ...flat, actor: 'ann' }],
    ['invalid_event', 'actor.id', { ...flat, actor: { id: 7 } }],
    ['invalid_event', 'context.ip_address', { ...flat, context: { ip_address: ['1.2.3.4'] } }],
    ['invalid_event', 'event.description', { ...flat, event: { description: false } }],
    ['invalid_event', 'metadata', { ...flat, metadata: [] }],
    ['invalid_event', 'changes', { ...flat, changes: 'text' }],
    ['too_deep', '', { ...flat, metadata: nested(64) }],
    ['too_deep', '', nested(100_000)],
  ];
  it.each(rules.map(([code, path, sent, by]) => ({ code, path, sent, by })))(
    '$code at "$path"',
    ({ code, path, sent, by }) => {
      expect(normalise(sent, by ?? arrival)).toMatchObject({ code, path });
    },
  );

  it('says what was found and what is expected, cut short', () => {
    expect(rejected({ ...flat, status: 'maybe' }).message).toBe(
      '`status` must be one of success, ok, succeeded, failure, failed, error, denied; found "maybe"',
    );
    expect(rejected({ ...flat, id: '😀'.repeat(100_000) }).message.length).toBeLessThan(200);
  });

  it('is not made at 63 levels of metadata', () => {
    expect(accepted({ ...flat, metadata: nested(63) }).json).toContain('[[[');
  });
});

describe('the hash', () => {
  it('does not depend on the order of keys, at any level', () => {
    const metadata = { b: { y: 1, x: [{ d: 1, c: 2 }] }, a: 1, 10: 'ten', 9: 'nine' };
    const mirrored = { 9: 'nine', 10: 'ten', a: 1, b: { x: [{ c: 2, d: 1 }], y: 1 } };
    expect(accepted({ ...flat, metadata }).hash).toBe(accepted({ metadata: mirrored, ...flat }).hash);
    const unknown = { ...flat, u: { b: 1, a: 2 }, t: 1 };
    expect(accepted(unknown).hash).toBe(accepted({ t: 1, u: { a: 2, b: 1 }, ...flat }).hash);
  });

  it.each([
    ...[{ metadata: {} }, { metadata: { a: 1 } }, { changes: { a: 1 } }, { extra: 1 }, { description: '' }],
    ...[{ status: 'failed' }, { actor: { id: 'x' } }, { target: { id: 'x' } }, { id: 'e2' }, { version: '2' }],
  ])('differs with %j', (change) => {
    expect(accepted({ ...flat, ...change }).hash).not.toBe(accepted(flat).hash);
  });

  it('tells metadata, changes and unknown fields apart', () => {
    const hashes = ['metadata', 'changes', 'unknownFields', 'a'].map(
      (key) => accepted({ ...flat, [key]: { a: 1 } }).hash,
    );
    expect(new Set(hashes).size).toBe(4);
  });
});

describe('any event', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  const wellFormed = fc.string({ unit: 'grapheme', maxLength: 20 });
  const details = fc.dictionary(wellFormed, fc.jsonValue({ maxDepth: 4 }));
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const event = fc.record(
    {
      timestamp: fc.constantFrom(flat.timestamp, '2026-01-15 10:30:00.123456', '2026-01-15T23:59:60+05:30'),
      eventType: fc.constantFrom('logout', 'mine'),
      eventCategory: fc.constant('gateway'),
      id: fc.stringMatching(/^[!-.0-~]{1,128}$/),
      status: fc.constantFrom('ok', 'DENIED', ''),
      description: text,
      actor: fc.record({ id: text, email: text, name: text }, { requiredKeys: [] }),
      context: fc.record({ ipAddress: text, userAgent: text }, { requiredKeys: [] }),
      changes: details,
      metadata: details,
      [`odd`]: maybe(text),
    },
    { requiredKeys: ['timestamp', 'eventType', 'eventCategory', 'id'] },
  );
  const schema = Compile(AuditEvent);

  it('becomes one that matches the published schema', () => {
    fc.assert(
      fc.property(event, (sent) => {
        const { json } = accepted(sent);
        expect(json.slice(0, 39)).toMatch(/^\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/);
        expect([...schema.Errors(JSON.parse(withPlace(json, 1, now)))]).toEqual([]);
      }),
    );
  });

  it('keeps its hash when it is sent again as it was stored', () => {
    fc.assert(
      fc.property(event, (sent) => {
        const first = accepted(sent);
        const { trailproof: _, ...again } = JSON.parse(first.json);
        if (!first.json.includes('"trailproof"')) expect(accepted(again)).toEqual(first);
        expect(accepted(sent).hash).toBe(first.hash);
      }),
    );
  });

  it('keeps metadata and changes unchanged', () => {
    fc.assert(
      fc.property(details, details, (metadata, changes) => {
        fc.pre(!/\\u0000/.test(JSON.stringify([metadata, changes])));
        const { json } = accepted({ ...flat, metadata, changes });
        expect(json).toContain(JSON.stringify({ changes, metadata }).slice(1, -1));
        const back = JSON.parse(json);
        expect(canonicalize([back.metadata, back.changes])).toBe(canonicalize([metadata, changes]));
      }),
    );
  });

  it('is judged, never thrown at, whatever JSON it is', () => {
    const key = fc.constantFrom(...Object.keys(flat), 'event', 'actor', 'context', 'team_id', 'metadata', '__proto__');
    const anything = fc.oneof(fc.jsonValue(), fc.dictionary(fc.oneof(key, text), fc.oneof(text, fc.jsonValue())));
    fc.assert(
      fc.property(anything, (sent) => {
        const verdict = normalise(JSON.parse(JSON.stringify(sent)), arrival);
        expect('code' in verdict ? verdict.message : verdict.json).not.toBe('');
      }),
    );
  });
});

function accepted(sent: unknown, by: Arrival = arrival): NewEvent {
  const verdict = normalise(sent, by);
  if ('code' in verdict) throw new Error(`${verdict.code} at ${verdict.path}: ${verdict.message}`);
  return verdict;
}

function rejected(sent: unknown): Rejection {
  const verdict = normalise(sent, arrival);
  if (!('code' in verdict)) throw new Error(`accepted: ${verdict.json}`);
  return verdict;
}

function stored(sent: unknown): Record<string, unknown> {
  return JSON.parse(accepted(sent).json);
}

function nested(levels: number): Record<string, unknown> {
  let inner: unknown[] = [];
  for (let level = 2; level < levels; level++) inner = [inner];
  return { inner };
}
