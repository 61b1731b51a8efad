import { type Static, type TProperties, type TSchema, Type } from 'typebox';

/**
 * The one schema of an audit event: as it is stored and sent, and the two forms in which producers may send it. Types,
 * validation and the OpenAPI document come from here. Producers may send more than these fields: what is not known
 * here is kept under `trailproof.unknownFields`. null means absent; of a repeated key the last counts.
 */

const text = (description: string, options: { pattern?: string; format?: string; minLength?: number } = {}) =>
  Type.String({ description, ...options });
const anything = (description: string) => Type.Unsafe<Record<string, unknown>>(Type.Object({}, { description }));
/** What a producer may leave out or send as null. */
const maybe = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));
const maybeObject = <P extends TProperties>(properties: P) => maybe(Type.Object(properties));

/** What ids look like. */
export const ID_FORM = /^[!-.0-~]{1,128}$/;
const id = text('1 to 128 printable ASCII characters without space or slash, unique in the team; default: a UUIDv7', {
  pattern: ID_FORM.source,
});
const version = text('Version of the producer’s schema; default 1.0');
const eventType = text('A name of the catalogue, an older alias of it, or the producer’s own', { minLength: 1 });
const eventCategory = text('A built-in category or the producer’s own; default: the catalogue’s for the type');
const description = text('What happened, for people');
const failureReason = text('Why it failed');
const teamId = text('The platform’s own id of the team: 1 to 128 characters, the first not `_`');
const changes = anything('State before and after: `{"previous":{…},"current":{…}}`; passed unchanged');
const metadata = anything('Whatever else the producer wants to say; passed unchanged');

const actor = {
  id: text('The platform’s id of whoever acted'),
  type: text('`user`, `service` or `system`'),
  name: text('Name for people'),
  email: text('Kept as sent, searched without case'),
};
const target = {
  type: text('What kind of thing was acted on'),
  id: text('The platform’s id of the thing'),
  name: text('Name for people'),
};
const context = {
  ipAddress: text('Kept as sent'),
  userAgent: text('The client’s User-Agent'),
  sessionId: text('The platform’s session'),
  requestId: text('The platform’s request'),
};

/** An event as readers see it. All but `sequence` and `receivedAt` is fixed when it is accepted. */
export const AuditEvent = Type.Object(
  {
    timestamp: text('When it happened; UTC, always with milliseconds', { format: 'date-time' }),
    sequence: Type.Integer({ minimum: 1, description: 'Place in the team’s log: 1, 2, 3 … without holes' }),
    receivedAt: text('When it became durable', { format: 'date-time' }),
    id,
    version,
    eventType,
    eventCategory,
    status: Type.Union([Type.Literal('success'), Type.Literal('failure')]),
    description: Type.Optional(description),
    failureReason: Type.Optional(failureReason),
    actor: Type.Optional(Type.Partial(Type.Object(actor))),
    target: Type.Optional(Type.Partial(Type.Object(target))),
    context: Type.Object({ teamId, ...Type.Partial(Type.Object(context)).properties }),
    changes: Type.Optional(changes),
    metadata: Type.Optional(metadata),
    trailproof: Type.Optional(
      Type.Object(
        {
          clock: Type.Optional(
            Type.Union([Type.Literal('future'), Type.Literal('past')], {
              description: 'On arrival the timestamp was more than 1 hour ahead, or more than 366 days old',
            }),
          ),
          replacedCharacters: Type.Optional(
            Type.Integer({ description: 'How many NULs, lone surrogates and invalid bytes became U+FFFD' }),
          ),
          unknownFields: Type.Optional(anything('Fields this schema does not know, by path: `actor.department`')),
          truncated: Type.Optional(
            Type.Array(Type.Object({ path: Type.String(), bytes: Type.Integer() }), {
              description: 'At a SIEM only: what was cut to fit its limit, and how many bytes of JSON it was',
            }),
          ),
        },
        { description: 'All that Trailproof adds to what the producer sent' },
      ),
    ),
  },
  { title: 'Audit event' },
);

/** An event before the log gives it its place. Absent fields may also be undefined: both are left out of the JSON. */
export type CanonicalEvent = Loosely<Omit<Static<typeof AuditEvent>, 'sequence' | 'receivedAt'>>;
type Loosely<T> = T extends object
  ? { [K in keyof T]: Loosely<T[K]> | (object extends Pick<T, K> ? undefined : never) }
  : T;

const sentTimestamp = text(
  'ISO 8601 date and time (without offset: UTC) or `YYYY-MM-DD HH:MM:SS.ffffff`; cut to milliseconds',
);
const sentStatus = maybe(
  text(
    '`success`, `ok`, `succeeded` or `failure`, `failed`, `error`, `denied`; default: `failure` if there is a reason',
  ),
);
const sentAlike = {
  timestamp: sentTimestamp,
  id: maybe(id),
  version: maybe(version),
  actor: maybeObject(maybeEach(actor)),
  target: maybeObject(maybeEach(target)),
  changes: maybe(changes),
  metadata: maybe(metadata),
};
const flatContext = maybeEach(context);
const sdkContext = maybeEach({
  ip_address: context.ipAddress,
  user_agent: context.userAgent,
  session_id: context.sessionId,
  request_id: context.requestId,
});
const sdkContent = {
  category: maybe(eventCategory),
  description: maybe(description),
  status: sentStatus,
  error_message: maybe(failureReason),
};
const flatContent = {
  eventCategory: maybe(eventCategory),
  status: sentStatus,
  description: maybe(description),
  failureReason: maybe(failureReason),
};

/** What a producer sends: the form of `AuditEvent`. */
export const FlatEvent = Type.Object(
  { ...sentAlike, eventType, ...flatContent, context: maybeObject({ teamId: maybe(teamId), ...flatContext }) },
  { title: 'Event, flat form' },
);

/** What a producer sends: the form of the SDK, schema version 1.0. */
export const SdkEvent = Type.Object(
  {
    ...sentAlike,
    team_id: maybe(teamId),
    event: Type.Object({ type: eventType, ...sdkContent }),
    context: maybeObject(sdkContext),
  },
  { title: 'Event, SDK form 1.0' },
);

const anyEvent = { type: maybe(Type.String()), ...sdkContent };
const anyContext = { teamId: maybe(Type.String()), ...flatContext, ...sdkContext };

/**
 * The types of all fields of both forms, also mixed: what ingest checks before it looks closer. An `event` that is no
 * object is a field we do not know.
 */
export const SentEvent = Type.Object({
  ...sentAlike,
  ...flatContent,
  timestamp: maybe(Type.String()),
  eventType: maybe(Type.String()),
  team_id: maybe(Type.String()),
  event: Type.Optional(
    Type.Union([
      Type.Object(anyEvent),
      Type.Array(Type.Unknown()),
      Type.String(),
      Type.Number(),
      Type.Boolean(),
      Type.Null(),
    ]),
  ),
  context: maybeObject(anyContext),
});
export type SentEvent = Static<typeof SentEvent>;

/** The field names known in each object of `SentEvent`; `logged` are those of an event that comes out of a log. */
export const SENT_FIELDS = {
  top: new Set(Object.keys(SentEvent.properties)),
  logged: new Set([...Object.keys(SentEvent.properties), 'sequence', 'receivedAt']),
  event: new Set(Object.keys(anyEvent)),
  actor: new Set(Object.keys(actor)),
  target: new Set(Object.keys(target)),
  context: new Set(Object.keys(anyContext)),
};

function maybeEach<P extends TProperties>(properties: P) {
  const entries = Object.entries(properties).map(([name, schema]) => [name, maybe(schema)]);
  return Object.fromEntries(entries) as { [K in keyof P]: ReturnType<typeof maybe<P[K]>> };
}
