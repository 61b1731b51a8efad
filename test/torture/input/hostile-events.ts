import fc from 'fast-check';
import { hostileKey, hostileValue, IDS, TIMES } from './hostile-values.ts';
import type { JsonNode } from './json-text.ts';

/** An event as a producer might send it. */
export interface HostileEvent {
  readonly node: JsonNode;
  /** Nothing was done to it: it must be taken. */
  readonly isUntouched: boolean;
}

const PLACES = ['top', 'event', 'actor', 'target', 'context', 'metadata', 'changes'] as const;
type Place = (typeof PLACES)[number];

/** One thing done to an event. */
interface Change {
  readonly where: Place;
  readonly how: 'set' | 'add' | 'repeat' | 'drop' | 'replace';
  readonly which: number;
  readonly key: string;
  readonly value: JsonNode;
}

const change: fc.Arbitrary<Change> = fc.record({
  // Half of them where everything passes unchanged.
  where: fc.oneof(fc.constantFrom(...PLACES), fc.constantFrom('metadata' as const, 'changes' as const)),
  how: fc.constantFrom('set', 'add', 'add', 'repeat', 'drop', 'replace'),
  which: fc.nat(20),
  key: hostileKey,
  value: hostileValue,
});

const mostly = (most: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(most - 1) });

/** A valid event of either form with up to four things done to it. `nextName` gives each a name of its own. */
export function hostileEvent(nextName: () => string): fc.Arbitrary<HostileEvent> {
  return fc
    .record({
      isFlat: fc.boolean(),
      time: mostly(TIMES.length),
      id: mostly(IDS.length),
      changes: fc.array(change, { maxLength: 4, size: 'max' }),
      isReserved: mostly(4),
    })
    .map(({ isFlat, time, id, changes, isReserved }) => {
      const name = IDS[id]![0](nextName());
      const base = isFlat ? flatEvent(name, TIMES[time]![0]) : sdkEvent(name, TIMES[time]![0]);
      const begun = isReserved === 3 ? withEntry(base, 'trailproof', objectOf({ clock: 'past' })) : base;
      return {
        node: changes.reduce(changed, begun),
        isUntouched: changes.length === 0 && time === 0 && id === 0 && isReserved !== 3,
      };
    });
}

function flatEvent(id: string, timestamp: string): JsonObject {
  return objectOf({
    ...{ id, timestamp, eventType: 'user.role_changed', eventCategory: 'users', status: 'success' },
    description: `A role was changed by ${id}`,
    actor: objectOf({ id: 'usr_1', type: 'user', name: 'Ana', email: 'Ana@Acme.example' }),
    target: objectOf({ type: 'user', id: 'usr_2', name: 'Équipe' }),
    context: objectOf({ ipAddress: '203.0.113.7', userAgent: 'Mozilla/5.0', sessionId: 's1', requestId: 'r1' }),
    ...free(),
  });
}

function sdkEvent(id: string, timestamp: string): JsonObject {
  return objectOf({
    ...{ version: '1.0', id, timestamp },
    event: objectOf({
      type: 'login.failure',
      category: 'authentication',
      status: 'failed',
      error_message: 'no',
      description: `No ${id}`,
    }),
    actor: objectOf({ id: 'usr_1', type: 'user', name: 'Ana', email: 'Ana@Acme.example' }),
    target: objectOf({ type: 'session', id: 's1' }),
    context: objectOf({ ip_address: '2001:db8::7', user_agent: 'sdk/1', session_id: 's1', request_id: 'r1' }),
    ...free(),
  });
}

function free() {
  return {
    metadata: objectOf({ region: 'eu-west-1', nested: objectOf({ a: 'b' }) }),
    changes: objectOf({ previous: objectOf({ role: 'viewer' }), current: objectOf({ role: 'owner' }) }),
  };
}

type JsonObject = Extract<JsonNode, { kind: 'object' }>;

function objectOf(fields: Readonly<Record<string, string | JsonNode>>): JsonObject {
  const entries = Object.entries(fields).map(
    ([key, value]) => [key, typeof value === 'string' ? { kind: 'text' as const, text: value } : value] as const,
  );
  return { kind: 'object', entries };
}

function withEntry(object: JsonObject, key: string, value: JsonNode): JsonObject {
  return { kind: 'object', entries: [...object.entries, [key, value]] };
}

function changed(event: JsonObject, { where, ...rest }: Change): JsonObject {
  if (where === 'top') return rest.how === 'replace' ? event : changedObject(event, rest);
  return {
    kind: 'object',
    entries: event.entries.map(([key, value]) => {
      if (key !== where) return [key, value] as const;
      const isPart = value.kind === 'object' && rest.how !== 'replace';
      return [key, isPart ? changedObject(value, rest) : rest.value] as const;
    }),
  };
}

function changedObject(object: JsonObject, { how, which, key, value }: Omit<Change, 'where'>): JsonObject {
  const chosen = object.entries.length > 0 ? which % object.entries.length : -1;
  switch (how) {
    case 'drop':
      return { kind: 'object', entries: object.entries.filter((_, i) => i !== chosen) };
    case 'set':
      return {
        kind: 'object',
        entries: object.entries.map(([k, v], i) => [k, i === chosen ? value : v] as const),
      };
    case 'repeat':
      return chosen < 0 ? object : withEntry(object, object.entries[chosen]![0], value);
    default:
      return withEntry(object, key, value);
  }
}
