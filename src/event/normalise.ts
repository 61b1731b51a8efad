import { randomUUIDv7 } from 'node:crypto';
import { Compile } from 'typebox/compile';
import { canonicalType, categoryOf } from './catalogue.ts';
import type { NewEvent, TeamId } from './logged-event.ts';
import { type Rejection, type RejectionCode, reject } from './rejection.ts';
import { SENT_FIELDS, SentEvent } from './schema.ts';
import { sealEvent } from './seal.ts';
import { parseTimestamp } from './timestamp.ts';

/** How deep an event may nest, itself included: far above any real one, far below where recursion ends. */
const MAX_DEPTH = 64;
const FUTURE_MS = 3_600_000;
const PAST_MS = 366 * 86_400_000;
const STATUSES: ReadonlyMap<string, 'success' | 'failure'> = new Map([
  ...['success', 'ok', 'succeeded'].map((word) => [word, 'success'] as const),
  ...['failure', 'failed', 'error', 'denied'].map((word) => [word, 'failure'] as const),
]);
const A_TIMESTAMP =
  'an existing date and time, ISO 8601 (2026-01-15T10:30:00.000Z) or YYYY-MM-DD HH:MM:SS.ffffff, as a string';
const A_STATUS = `one of ${[...STATUSES.keys()].join(', ')}`;
const A_TEAM = 'a string of 1 to 128 characters, the first not `_`';

const shape = Compile(SentEvent);

/** What is known of an event besides what its producer says. */
export interface Arrival {
  /** The team of the producer's key; null: the event must name its own. */
  readonly team: TeamId | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Text = string | null | undefined;

/**
 * Makes the one canonical event of what a producer sent: the flat form, the SDK's, or a mixture (where both name a
 * value, the flat one counts and the other is kept as an unknown field). Never throws for what JSON.parse can return.
 */
export function normalise(sent: unknown, { team: keyTeam, now }: Arrival): NewEvent | Rejection {
  if (isObject(sent) && isDeeperThan(MAX_DEPTH, sent))
    return reject('too_deep', '', `nested at most ${MAX_DEPTH} levels deep`, sent);
  if (!shape.Check(sent)) return wrongShape(sent);
  if ('trailproof' in sent) return reject('reserved_field', 'trailproof', 'absent: the key is ours', sent.trailproof);

  const { actor, target, context } = sent;
  const event = typeof sent.event === 'object' && !Array.isArray(sent.event) ? sent.event : undefined;
  const unknown = unknownFields(sent);
  const either = (flat: Text, sdk: Text, sdkPath: string): string | undefined => {
    if (typeof flat === 'string' && typeof sdk === 'string' && flat !== sdk) unknown.push([sdkPath, sdk]);
    return flat ?? sdk ?? undefined;
  };

  const team = teamOf(sent, keyTeam);
  if (typeof team !== 'string') return team;

  if (!sent.timestamp) return reject('missing_field', 'timestamp', A_TIMESTAMP, sent.timestamp);
  const time = parseTimestamp(sent.timestamp);
  if (!time) return reject('invalid_timestamp', 'timestamp', A_TIMESTAMP, sent.timestamp);

  const type = either(sent.eventType, event?.type, 'event.type');
  if (!type) return reject('missing_field', event ? 'event.type' : 'eventType', 'the name of what happened', type);
  const eventType = canonicalType(type);
  const category = either(sent.eventCategory, event?.category, 'event.category') || categoryOf(eventType);
  if (!category) {
    const path = event ? 'event.category' : 'eventCategory';
    return reject('unknown_category', path, 'given with an event type that the catalogue does not know', undefined);
  }

  const failureReason = either(sent.failureReason, event?.error_message, 'event.error_message');
  const word = either(sent.status, event?.status, 'event.status');
  const status = word ? STATUSES.get(word.toLowerCase()) : failureReason ? 'failure' : 'success';
  if (!status) return reject('invalid_status', sent.status ? 'status' : 'event.status', A_STATUS, word);

  const description = either(sent.description, event?.description, 'event.description');
  const circumstances = {
    teamId: team,
    ipAddress: either(context?.ipAddress, context?.ip_address, 'context.ip_address'),
    userAgent: either(context?.userAgent, context?.user_agent, 'context.user_agent'),
    sessionId: either(context?.sessionId, context?.session_id, 'context.session_id'),
    requestId: either(context?.requestId, context?.request_id, 'context.request_id'),
  };
  return sealEvent({
    timestamp: time.iso,
    id: sent.id ?? randomUUIDv7(),
    version: sent.version ?? '1.0',
    eventType,
    eventCategory: category,
    status,
    description,
    failureReason,
    actor: actor
      ? unlessEmpty({
          id: actor.id ?? undefined,
          type: actor.type ?? undefined,
          name: actor.name ?? undefined,
          email: actor.email ?? undefined,
        })
      : undefined,
    target: target
      ? unlessEmpty({
          type: target.type ?? undefined,
          id: target.id ?? undefined,
          name: target.name ?? undefined,
        })
      : undefined,
    context: circumstances,
    changes: sent.changes ?? undefined,
    metadata: sent.metadata ?? undefined,
    trailproof: unlessEmpty({
      clock: clockOf(time.at, now),
      unknownFields: unknown.length > 0 ? Object.fromEntries(unknown) : undefined,
    }),
  });
}

/** True for what nests more than `levels` objects or arrays. Recurses no deeper than that. */
function isDeeperThan(levels: number, object: object): boolean {
  if (levels === 0) return true;
  if (Array.isArray(object)) return object.some((item) => isObject(item) && isDeeperThan(levels - 1, item));
  for (const key in object) {
    const value = (object as Record<string, unknown>)[key];
    if (isObject(value) && isDeeperThan(levels - 1, value)) return true;
  }
  return false;
}

/** Arrays too. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

const CODES_BY_PATH: Readonly<Record<string, readonly [RejectionCode, string]>> = {
  '/timestamp': ['invalid_timestamp', A_TIMESTAMP],
  '/id': ['invalid_id', 'a string of 1 to 128 printable ASCII characters without space or slash'],
  '/status': ['invalid_status', A_STATUS],
  '/event/status': ['invalid_status', A_STATUS],
  '/team_id': ['invalid_team', A_TEAM],
  '/context/teamId': ['invalid_team', A_TEAM],
};

/** Names the first field whose type is wrong; of alternatives the first error is the one that is not about null. */
function wrongShape(sent: unknown): Rejection {
  const error = shape.Errors(sent)[0];
  const pointer = error?.instancePath ?? '';
  const keys = pointer.split('/').slice(1);
  const found = keys.reduce((value: unknown, key) => new Map(Object.entries(value ?? {})).get(key), sent);
  const isNoObject = error?.keyword === 'type' && error.params.type === 'object';
  const [code, expected] = CODES_BY_PATH[pointer] ?? ['invalid_event', isNoObject ? 'a JSON object' : 'a string'];
  return reject(code, keys.join('.'), expected, found);
}

function teamOf({ context, team_id: sdkTeam, event }: SentEvent, keyTeam: TeamId | null): TeamId | Rejection {
  const path = context?.teamId || !(event || sdkTeam) ? 'context.teamId' : 'team_id';
  const team = context?.teamId || sdkTeam || keyTeam;
  if (!team) return reject('team_required', path, 'given, as the key is for all teams', undefined);
  if (sdkTeam && sdkTeam !== team) return reject('team_mismatch', 'team_id', 'equal to `context.teamId`', sdkTeam);
  if (keyTeam !== null && keyTeam !== team) return reject('team_mismatch', path, 'absent or the team of the key', team);
  return isTeam(team) ? team : reject('invalid_team', path, A_TEAM, team);
}

/** Whether teams may be called so. */
export function isTeam(name: string): boolean {
  return name !== '' && name.length <= 128 && !name.startsWith('_');
}

/** The mark of an event whose time is far from the time of its arrival, both in milliseconds since the epoch. */
export function clockOf(time: number, now: number): 'future' | 'past' | undefined {
  return time > now + FUTURE_MS ? 'future' : time < now - PAST_MS ? 'past' : undefined;
}

/** What was sent besides the fields we know, by path: `actor.department`. */
function unknownFields(sent: SentEvent): [path: string, value: unknown][] {
  const fields: [string, unknown][] = [];
  const collect = (object: Readonly<Record<string, unknown>>, known: ReadonlySet<string>, prefix: string): void => {
    for (const key in object) if (!known.has(key)) fields.push([prefix + key, object[key]]);
  };
  const { event, actor, target, context } = sent;
  collect(sent, isFromLog(sent) ? SENT_FIELDS.logged : SENT_FIELDS.top, '');
  if (typeof event === 'object' && !Array.isArray(event)) {
    if (event !== null) collect(event, SENT_FIELDS.event, 'event.');
  } else if (event !== undefined) fields.push(['event', event]);
  if (actor) collect(actor, SENT_FIELDS.actor, 'actor.');
  if (target) collect(target, SENT_FIELDS.target, 'target.');
  if (context) collect(context, SENT_FIELDS.context, 'context.');
  return fields;
}

/** An event read from a log and sent again carries the place it had there: not the producer's to say, so ignored. */
function isFromLog(sent: object): boolean {
  return (
    'sequence' in sent && 'receivedAt' in sent && Number.isInteger(sent.sequence) && typeof sent.receivedAt === 'string'
  );
}

/** Left out when none of its fields is there. */
function unlessEmpty<T extends object>(fields: T): T | undefined {
  for (const key in fields) if (fields[key] !== undefined) return fields;
  return undefined;
}
