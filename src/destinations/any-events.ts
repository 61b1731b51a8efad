import fc from 'fast-check';
import { type LoggedEvent, withPlace } from '../event/logged-event.ts';
import { normalise } from '../event/normalise.ts';

/**
 * For the tests of encoders: batches of events of any content, as ingest makes them and with their fields in another
 * order, as rows hold them and as memory does, from before Sentinel's and Datadog's time windows to after.
 */
export const ANY_EVENTS_AT = Date.UTC(2026, 0, 15, 12);
const HOUR_MS = 3_600_000;
const OFFSETS_MS = [-72 * HOUR_MS, -48 * HOUR_MS, -17 * HOUR_MS - 1, -17 * HOUR_MS, 0, HOUR_MS, HOUR_MS + 1];

const SPECIAL = ['a', ' ', '"', '\\', '/', '\n', '\u0001', '\u007f', '\u0085', '\u2028', 'é', '日', '😀'];
const plain = fc.string({ unit: fc.constantFrom('a', 'é', '日', '😀', ':'), maxLength: 8 });
const special = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...SPECIAL) }) },
  // About as long as what Datadog shows or QRadar takes.
  fc.tuple(fc.constantFrom(...SPECIAL), fc.constantFrom(255, 256, 257, 501, 9_000)).map(([c, n]) => c.repeat(n)),
);

interface Content {
  readonly id: string;
  readonly eventType: string;
  readonly eventCategory: string;
  readonly timestamp: number;
  readonly status: 'success' | 'failure';
  readonly context: Readonly<Record<string, string | undefined>>;
  readonly [more: string]: unknown;
}

function contentOf(text: fc.Arbitrary<string>): fc.Arbitrary<Content> {
  const fields = (...names: string[]) =>
    fc.record(Object.fromEntries(names.map((name) => [name, text])), { requiredKeys: [] });
  return fc.record(
    {
      id: fc.constantFrom('0198c5f0-0000-7000-8000-000000000001', 'a"b\\c', '"'.repeat(128)),
      eventType: fc.oneof(fc.constantFrom('auth.login.success', 'auth.login.failure'), text.filter(Boolean)),
      eventCategory: text.filter(Boolean),
      timestamp: fc.constantFrom(...OFFSETS_MS).map((offset) => ANY_EVENTS_AT + offset),
      status: fc.constantFrom('success', 'failure'),
      description: text,
      failureReason: text,
      actor: fields('id', 'type', 'name', 'email'),
      target: fields('type', 'id', 'name'),
      context: fields('ipAddress', 'userAgent', 'sessionId', 'requestId'),
      changes: fc.record({ previous: fields('description', 'actor'), current: fields('failureReason') }),
      metadata: fc.dictionary(text, fc.jsonValue()),
    },
    { requiredKeys: ['id', 'eventType', 'eventCategory', 'timestamp', 'status', 'context'] },
  );
}
const content = fc.oneof(contentOf(plain), contentOf(special));

const ingested = content.map((given): LoggedEvent => {
  const sent = { ...given, timestamp: new Date(given.timestamp).toISOString(), unknown: 'field' };
  const event = normalise(sent, { team: 'acme', now: ANY_EVENTS_AT });
  if ('code' in event) throw new Error(event.message);
  return logged(event, event.json);
});

const inAnyOrder = content.chain(({ id, eventType, eventCategory, timestamp, status, context, ...more }) =>
  fc.tuple(shuffled(context), shuffled({ ...more, context })).map(([circumstances, rest]) => {
    const head = { timestamp: new Date(timestamp).toISOString(), id, version: '1.0', eventType, eventCategory, status };
    const json = JSON.stringify({ ...head, ...rest, context: { teamId: 'acme', ...circumstances } });
    return logged({ id, eventType, eventCategory, timestamp }, json);
  }),
);

export const anyEvents = fc.array(
  fc.tuple(fc.oneof(ingested, inAnyOrder), fc.boolean()).map(([event, isRow]) => (isRow ? event : inMemory(event))),
  { maxLength: 5 },
);

function shuffled(fields: Readonly<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields);
  return fc.shuffledSubarray(entries, { minLength: entries.length }).map((order) => Object.fromEntries(order));
}

type Named = Pick<LoggedEvent, 'id' | 'eventType' | 'eventCategory' | 'timestamp'>;

function logged({ id, eventType, eventCategory, timestamp }: Named, unplaced: string): LoggedEvent {
  const place = { sequence: 7, receivedAt: ANY_EVENTS_AT };
  const json = withPlace(unplaced, place.sequence, place.receivedAt);
  return { team: 'acme', id, eventType, eventCategory, timestamp, ...place, json, bytes: Buffer.byteLength(json) };
}

function inMemory(event: LoggedEvent): LoggedEvent {
  const utf8 = Buffer.from(event.json);
  return { ...event, copyTo: (target, at) => utf8.copy(target, at) };
}
