import assert from 'node:assert/strict';
import { meaningOf, received, type SdkLine } from '../../rig/meaning.ts';
import { TIMES } from './hostile-values.ts';
import { isBroken, type JsonNode, meantBy } from './json-text.ts';

/** The deepest that an event is taken, itself included. */
const MOST_LEVELS = 64;
const STATUSES: Readonly<Record<string, string>> = {
  ...{ success: 'success', ok: 'success', succeeded: 'success' },
  ...{ failure: 'failure', failed: 'failure', error: 'failure', denied: 'failure' },
};
/** Known places of text, by the object they are in; everything else is kept apart. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  actor: ['id', 'type', 'name', 'email'],
  target: ['type', 'id', 'name'],
  context: [
    ...['teamId', 'ipAddress', 'userAgent', 'sessionId', 'requestId'],
    ...['ip_address', 'user_agent', 'session_id', 'request_id'],
  ],
};
const KNOWN_AT_TOP = new Set([
  ...['timestamp', 'id', 'version', 'actor', 'target', 'changes', 'metadata', 'eventCategory', 'status', 'description'],
  ...['failureReason', 'eventType', 'team_id', 'event', 'context'],
]);

/** Why the event can never be accepted; null: nothing here says so. */
export function mustReject(node: JsonNode): string | null {
  if (isBroken(node)) return 'it is not JSON';
  const value = meantBy(node);
  if (!isObject(value)) return 'it is no object';
  if (levelsOf(value) > MOST_LEVELS) return 'it is too deep';
  if (Object.hasOwn(value, 'trailproof')) return 'the key trailproof is ours';
  const { id, timestamp } = fieldsOf(value, ['id', 'timestamp']);
  if (id !== undefined && id !== null && !(typeof id === 'string' && /^[\x21-\x2e\x30-\x7e]{1,128}$/.test(id)))
    return 'the id is none';
  if (typeof timestamp !== 'string' || TIMES.some(([sent, stored]) => sent === timestamp && stored === null))
    return 'the time is none';
  return null;
}

/** Throws unless `stored`, as read from the API, means what was sent. */
export function sameMeaning(node: JsonNode, stored: unknown, team: string): void {
  const sent = meantBy(node);
  if (!isObject(sent)) throw new Error('accepted, though no object');
  const { trailproof = {}, ...event } = received(stored);
  assert(isObject(trailproof));
  const line = asSdkLine(sent, event, team);
  assert.deepStrictEqual(event, meaningOf(line));
  const unknown = fieldsOf(trailproof, ['unknownFields'])['unknownFields'] ?? {};
  assert(isObject(unknown));
  for (const [path, value] of unknownIn(sent))
    assert.deepStrictEqual(fieldsOf(unknown, [path])[path], value, `the unknown field ${JSON.stringify(path)}`);
}

/** The event in the SDK's form, of which the rig knows the meaning. What the catalogue fills in comes from `stored`. */
function asSdkLine(sent: Fields, stored: Fields, team: string): SdkLine {
  const nested = objectAt(sent, 'event');
  const either = (flat: string, sdk: string): string | undefined =>
    textAt(sent, flat) ?? (nested ? textAt(nested, sdk) : undefined);
  const place = objectAt(sent, 'context') ?? {};
  const failureReason = either('failureReason', 'error_message');
  const word = either('status', 'status');
  const time = textAt(sent, 'timestamp')!;
  return {
    version: textAt(sent, 'version') ?? '1.0',
    id: textAt(sent, 'id') ?? String(stored['id']),
    timestamp: TIMES.find(([text]) => text === time)?.[1] ?? time,
    team_id: team,
    event: withoutUndefined({
      type: either('eventType', 'type'),
      category: either('eventCategory', 'category') || String(stored['eventCategory']),
      status: word ? STATUSES[word.toLowerCase()] : failureReason ? 'failure' : 'success',
      description: either('description', 'description'),
      error_message: failureReason,
    }),
    actor: known(sent, 'actor'),
    ...optional('target', known(sent, 'target')),
    context: withoutUndefined({
      ip_address: textAt(place, 'ipAddress') ?? textAt(place, 'ip_address'),
      user_agent: textAt(place, 'userAgent') ?? textAt(place, 'user_agent'),
      session_id: textAt(place, 'sessionId') ?? textAt(place, 'session_id'),
      request_id: textAt(place, 'requestId') ?? textAt(place, 'request_id'),
    }),
    ...optional('changes', objectAt(sent, 'changes')),
    ...optional('metadata', objectAt(sent, 'metadata')),
  };
}

/** What is to be kept though nothing knows it, by path. */
function unknownIn(sent: Fields): [path: string, value: unknown][] {
  const isFromLog =
    Number.isInteger(fieldsOf(sent, ['sequence'])['sequence']) && textAt(sent, 'receivedAt') !== undefined;
  const top = Object.entries(sent).filter(
    ([key]) => !KNOWN_AT_TOP.has(key) && !(isFromLog && (key === 'sequence' || key === 'receivedAt')),
  );
  const paths = new Set(top.map(([key]) => key));
  const inner = Object.entries(KNOWN).flatMap(([name, keys]) =>
    Object.entries(objectAt(sent, name) ?? {})
      .filter(([key]) => !keys.includes(key))
      .map(([key, value]): [string, unknown] => [`${name}.${key}`, value])
      // A key with a dot may be the same path.
      .filter(([path]) => !paths.has(path)),
  );
  return [...top.filter(([key]) => !inner.some(([path]) => path === key)), ...inner];
}

type Fields = Readonly<Record<string, unknown>>;

function known(sent: Fields, name: 'actor' | 'target'): object | null {
  const object = objectAt(sent, name);
  if (!object) return null;
  const fields = withoutUndefined(Object.fromEntries(KNOWN[name]!.map((key) => [key, textAt(object, key)])));
  return Object.keys(fields).length > 0 ? fields : null;
}

function optional(name: string, value: object | null): object {
  return value ? { [name]: value } : {};
}

/** Own fields alone: `__proto__` may be one. */
function fieldsOf(object: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, Object.hasOwn(object, name) ? object[name] : undefined]));
}

function textAt(object: Fields, name: string): string | undefined {
  const value = fieldsOf(object, [name])[name];
  return typeof value === 'string' ? value : undefined;
}

function objectAt(object: Fields, name: string): Fields | null {
  const value = fieldsOf(object, [name])[name];
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutUndefined(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}
