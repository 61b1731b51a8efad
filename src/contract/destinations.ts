import { type Static, Type } from 'typebox';
import { Count, listOf, nullable, TeamQuery, TextOrNull, Time, TimeOrNull } from './common.ts';

const name = Type.String({ minLength: 1, maxLength: 128 });
const settings = Type.Record(Type.String(), Type.Unknown(), {
  description: 'By kind, see GET /v1/destination-kinds. Secrets are written, never read: shown as {"set":true}.',
});
const words = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 1000 });
const parallel = Type.Integer({ minimum: 1, maximum: 8, description: 'Requests in flight; above 1, order is lost' });
const lingerMs = Type.Integer({ minimum: 0, maximum: 60_000, description: 'How long to gather events when idle' });

/** What is forwarded; both conditions must match. */
const Filter = Type.Object(
  {
    categories: Type.Optional(nullable(words)),
    eventTypes: Type.Optional(nullable(words)),
    newCategories: Type.Optional(
      Type.Boolean({ default: true, description: 'With `categories`: also those first seen later' }),
    ),
  },
  { additionalProperties: false, description: '`null` or absent: all' },
);
export type Filter = Static<typeof Filter>;

export const CreateDestination = Type.Object(
  {
    kind: Type.String(),
    name,
    settings,
    filter: Type.Optional(Filter),
    startAt: Type.Optional(
      Type.String({ default: 'now', description: '`now`, `beginning`, or a time (ISO 8601, by receivedAt)' }),
    ),
    parallel: Type.Optional(parallel),
    lingerMs: Type.Optional(lingerMs),
  },
  { additionalProperties: false },
);

/** Absent fields stay. In `settings` too: given ones replace, `null` removes, secrets not sent are kept. */
export const ChangeDestination = Type.Partial(Type.Object({ name, settings, filter: Filter, parallel, lingerMs }), {
  additionalProperties: false,
});
export type ChangeDestination = Static<typeof ChangeDestination>;

const State = Type.Enum([
  'pending',
  'connected',
  'retrying',
  'throttled',
  'disconnected',
  'authentication_failed',
  'misconfigured',
  'paused',
]);

export const Destination = Type.Object(
  {
    id: Type.String(),
    teamId: Type.String(),
    kind: Type.String(),
    name: Type.String(),
    settings,
    filter: Type.Object({
      categories: nullable(Type.Array(Type.String())),
      eventTypes: nullable(Type.Array(Type.String())),
      newCategories: Type.Boolean(),
      knownCategories: Type.Array(Type.String(), {
        description: 'Those that are not new: what there was when it was saved',
      }),
    }),
    parallel: Type.Integer(),
    lingerMs: Type.Integer(),
    state: State,
    createdAt: Time,
    updatedAt: Time,
  },
  { $id: 'Destination' },
);
export type Destination = Static<typeof Destination>;
export const DestinationRef = Type.Unsafe<Destination>({ $ref: 'Destination#' });
export const DestinationList = listOf(DestinationRef);

export const KindList = listOf(
  Type.Object({
    kind: Type.String(),
    title: Type.String(),
    needs: Type.String({ description: 'What is needed and who in a company has it' }),
    guide: Type.Array(
      Type.Object({
        text: Type.String(),
        setting: Type.Optional(Type.String({ description: 'The setting whose value this step yields' })),
        who: Type.Optional(Type.String({ description: 'Who can do this step and those after it' })),
      }),
    ),
    settings: Type.Array(
      Type.Object({
        name: Type.String(),
        title: Type.String(),
        description: Type.String(),
        input: Type.String(),
        required: Type.Boolean(),
        secret: Type.Boolean(),
        placeholder: Type.Optional(Type.String()),
        default: Type.Optional(Type.Unknown()),
        choices: Type.Optional(Type.Array(Type.Object({ value: Type.String(), title: Type.String() }))),
      }),
    ),
  }),
);

export const Health = Type.Object({
  state: State,
  since: Time,
  cause: TextOrNull,
  fix: TextOrNull,
  nextAttemptAt: TimeOrNull,
  warning: TextOrNull,
  lag: Type.Object({ events: Count, seconds: Type.Number() }),
  counts: Type.Object({ matched: Count, filtered: Count, delivered: Count, deadLettered: Count, pending: Count }),
  last24h: Type.Object({ delivered: Count, failedAttempts: Count }),
  lastSuccessAt: TimeOrNull,
  lastError: nullable(Type.Object({ at: Time, reason: Type.String() })),
});
export type Health = Static<typeof Health>;

export const Attempt = Type.Object({
  at: Time,
  kind: Type.Enum(['delivery', 'redrive', 'replay', 'check', 'test']),
  firstSequence: Count,
  lastSequence: Count,
  events: Count,
  delivered: Count,
  bytes: Count,
  durationMs: Type.Number(),
  outcome: Type.Enum(['delivered', 'partial', 'retry', 'throttled', 'refused', 'misconfigured']),
  status: nullable(Type.Integer()),
  reason: TextOrNull,
  answer: TextOrNull,
});
export const AttemptList = listOf(Attempt);

export const TimelineQuery = Type.Object(
  {
    ...TeamQuery.properties,
    hours: Type.Optional(Type.Enum([1, 24, 168, 720], { default: 24, description: 'How far back' })),
  },
  { additionalProperties: false },
);
export const Timeline = Type.Object({
  unit: Type.Enum(['minute', 'hour'], { description: 'Length of a bucket' }),
  buckets: Type.Array(
    Type.Object({
      at: Time,
      delivered: Count,
      failed: Type.Integer({ minimum: 0, description: 'Attempts that delivered nothing' }),
      lagSeconds: nullable(Type.Number({ description: 'The longest that an event had waited; null: not known' })),
    }),
  ),
});
export type Timeline = Static<typeof Timeline>;

export const DeadLetterList = listOf(
  Type.Object({
    id: Type.String(),
    sequence: Count,
    eventType: Type.String(),
    eventCategory: Type.String(),
    timestamp: Time,
    receivedAt: Time,
    at: Time,
    reason: Type.String(),
    status: nullable(Type.Integer()),
    answer: TextOrNull,
    redriving: Type.Boolean({ description: 'Is being sent again and counts as pending' }),
    event: Type.Unsafe<unknown>({ $ref: 'Event#' }),
  }),
);
export const RedriveBody = Type.Object(
  { ids: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 10_000, description: 'Absent: all' })) },
  { additionalProperties: false },
);
export const Redriven = Type.Object({ redriven: Count });

export const ReplayBody = Type.Object(
  {
    from: Type.String({ description: 'Received at or after (ISO 8601)' }),
    to: Type.String({ description: 'Received before (ISO 8601)' }),
    dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only count' })),
  },
  { additionalProperties: false },
);
export const Replay = Type.Object({
  id: TextOrNull,
  from: Time,
  to: Time,
  events: Count,
  bytes: Count,
  delivered: Count,
  rejected: Count,
  status: Type.Enum(['dry_run', 'running', 'done', 'cancelled']),
  createdAt: TimeOrNull,
  endedAt: TimeOrNull,
});
export const ReplayList = listOf(Replay);

const TestStep = Type.Object({
  name: Type.String(),
  ok: Type.Boolean(),
  detail: Type.String(),
  fix: Type.Optional(Type.String()),
  ms: Type.Number(),
});
/** Settings before they are saved. Secrets that are not sent are those of the destination `id`. */
export const TestSettings = Type.Object(
  { kind: Type.String(), settings, id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })) },
  { additionalProperties: false },
);
export type TestSettings = Static<typeof TestSettings>;
export const TestResult = Type.Object({ ok: Type.Boolean(), steps: Type.Array(TestStep) });

export const ReplayParams = Type.Object({ id: Type.String(), replay: Type.String() });
