import { type Static, Type } from 'typebox';
import { REJECTION_CODES, type RejectionCode } from '../event/rejection.ts';
import { AuditEvent, FlatEvent, SdkEvent } from '../event/schema.ts';
import { Count, listOf, nullable, paging, TeamQuery, TextOrNull, Time, TimeOrNull } from './common.ts';
import { Attempt } from './destinations.ts';
import { Problem } from './problem.ts';

/** What producers send and readers get: components of the OpenAPI document. */
export const EVENT_SCHEMAS = [
  { ...AuditEvent, $id: 'Event' },
  { ...FlatEvent, $id: 'FlatEvent' },
  { ...SdkEvent, $id: 'SdkEvent' },
];
const anEvent = Type.Unsafe<unknown>({ $ref: 'Event#' });
const sentEvent = Type.Unsafe<unknown>({ anyOf: [{ $ref: 'FlatEvent#' }, { $ref: 'SdkEvent#' }] });
/** The JSON bodies of ingest; judged by `ingest/`, not by this schema. */
export const IngestBody = Type.Union([sentEvent, Type.Array(sentEvent, { maxItems: 10_000 })]);

const some = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 100, description }));

/** Which events: repeated parameters are OR, different ones AND. */
const filter = {
  ...TeamQuery.properties,
  from: Type.Optional(Type.String({ description: 'At or after this event time (ISO 8601)' })),
  to: Type.Optional(Type.String({ description: 'Before this event time (ISO 8601)' })),
  category: some('Category'),
  eventType: some('Event type; older aliases work'),
  status: Type.Optional(Type.Array(Type.Enum(['success', 'failure']))),
  actor: some('Exact id, e-mail or name of who acted'),
  target: some('Exact id, e-mail or name of what was acted on'),
  ip: some('Address or CIDR range'),
  q: Type.Optional(Type.String({ maxLength: 512, description: 'Part of e-mail, name, description, type or IP' })),
};
const order = Type.Optional(Type.Enum(['asc', 'desc'], { default: 'desc', description: 'By sequence' }));

export const FilterQuery = Type.Object(filter, { additionalProperties: false });
export type FilterQuery = Static<typeof FilterQuery>;
export const ListQuery = Type.Object({ ...filter, ...paging, order }, { additionalProperties: false });
/** A live tail begins now, after the sequence `after`, or after the one in `Last-Event-ID`. */
export const StreamQuery = Type.Object(
  { ...filter, after: Type.Optional(Type.Integer({ minimum: 0 })) },
  { additionalProperties: false },
);
export const ExportQuery = Type.Object(
  { ...filter, order, format: Type.Enum(['csv', 'ndjson']) },
  { additionalProperties: false },
);
export const HistogramQuery = Type.Object(
  {
    ...filter,
    bucketSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 31_536_000, description: 'Default: about 60 buckets over the range' }),
    ),
  },
  { additionalProperties: false },
);

/** Answered from stored JSON as it is. A page that took long to find ends early: it may be short, or empty, and go on. */
export const EventList = Type.Object({
  events: Type.Array(anEvent),
  nextCursor: TextOrNull,
  lastSequence: Type.Integer({
    minimum: 0,
    description: 'How far the log was looked at: a live tail `after` it misses nothing. 0: the team has no events',
  }),
});
/** An event as readers get it. */
export type StoredEvent = Static<typeof AuditEvent>;

/** What became of the events of one ingest request; each is judged alone. */
const ingestResult = {
  accepted: Count,
  duplicates: Type.Integer({ minimum: 0, description: 'Already kept, same content: fine to have sent again' }),
  rejected: Type.Array(
    Type.Object({
      index: Type.Integer({ minimum: 0, description: 'Position in the array, or line, from 0' }),
      id: TextOrNull,
      code: Type.Enum(Object.keys(REJECTION_CODES) as [RejectionCode, ...RejectionCode[]]),
      path: Type.String(),
      message: Type.String(),
    }),
  ),
  appended: Type.Array(Type.Object({ teamId: Type.String(), firstSequence: Count, lastSequence: Count })),
};
export const IngestResult = Type.Object(ingestResult);
export const NothingAccepted = Type.Object({ ...Problem.properties, ...ingestResult });

export const Histogram = Type.Object({
  bucketSeconds: Type.Integer(),
  buckets: Type.Array(Type.Object({ at: Time, success: Count, failure: Count })),
  success: Count,
  failure: Count,
});
export type Histogram = Static<typeof Histogram>;

export const DeliveryList = listOf(
  Type.Object({
    destinationId: Type.String(),
    name: Type.String(),
    kind: Type.String(),
    status: Type.Enum(['delivered', 'pending', 'filtered', 'dead_letter', 'before_start']),
    deliveredAt: TimeOrNull,
    attempt: nullable(Attempt),
    reason: TextOrNull,
  }),
);
export type DeliveryList = Static<typeof DeliveryList>;

export const DeliverySummaryQuery = Type.Object(
  {
    ...TeamQuery.properties,
    id: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 100 }),
  },
  { additionalProperties: false },
);
/** Where each of some events stands, over all destinations that are to get it. */
export const DeliverySummaryList = listOf(
  Type.Object({
    id: Type.String(),
    matched: Type.Integer({ minimum: 0, description: 'How many destinations are to get it' }),
    delivered: Type.Integer({ minimum: 0, description: 'How many have it' }),
    worst: nullable(Type.Enum(['delivered', 'pending', 'dead_letter'])),
  }),
);
export type DeliverySummaryList = Static<typeof DeliverySummaryList>;

export const CategoryQuery = Type.Object(
  {
    ...TeamQuery.properties,
    since: Type.Optional(Type.String({ description: 'Count the events since then (ISO 8601, by event time)' })),
  },
  { additionalProperties: false },
);
export const CategoryList = listOf(
  Type.Object({
    value: Type.String(),
    label: Type.String(),
    builtIn: Type.Boolean(),
    seen: Type.Boolean(),
    count: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Events since `since`, when that was asked; of the first 100 only' }),
    ),
  }),
);

export type CategoryList = Static<typeof CategoryList>;

export const EventTypeList = listOf(
  Type.Object({
    type: Type.String(),
    category: TextOrNull,
    title: TextOrNull,
    aliases: Type.Array(Type.String()),
    seen: Type.Boolean(),
  }),
);
export type EventTypeList = Static<typeof EventTypeList>;
