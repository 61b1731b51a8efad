import { type Static, Type } from 'typebox';

/**
 * The one schema of an audit event: the canonical form that is stored and sent, and the two forms producers may send.
 * Types, validation and the OpenAPI document come from here. Producers may send more than these fields: what is not
 * known here is kept under `trailproof.unknownFields`.
 */

const text = (description: string) => Type.String({ description });

const actor = {
  id: text("The platform's id of whoever acted"),
  type: text('`user`, `service` or `system`'),
  name: text('Name for people'),
  email: text('Kept as sent, searched without case'),
};
const target = {
  type: text('What kind of thing was acted on'),
  id: text("The platform's id of the thing"),
  name: text('Name for people'),
};
const context = {
  ipAddress: text('Kept as sent'),
  userAgent: text('The User-Agent header'),
  sessionId: text("The platform's session"),
  requestId: text("The platform's request"),
};
const content = Type.Record(Type.String(), Type.Unknown());

const Marks = Type.Object(
  {
    clock: Type.Optional(Type.Union([Type.Literal('future'), Type.Literal('past')])),
    replacedCharacters: Type.Optional(Type.Integer({ minimum: 1 })),
    unknownFields: Type.Optional(content),
  },
  { description: 'All that Trailproof adds to what the producer sent' },
);

/** An event as stored, before the log adds `sequence` and `receivedAt`. */
export const CanonicalEvent = Type.Object({
  timestamp: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
  id: Type.String({ pattern: '^[!-.0-~]{1,128}$' }),
  version: Type.String(),
  eventType: Type.String({ minLength: 1 }),
  eventCategory: Type.String({ minLength: 1 }),
  status: Type.Union([Type.Literal('success'), Type.Literal('failure')]),
  description: Type.Optional(Type.String()),
  failureReason: Type.Optional(Type.String()),
  actor: Type.Optional(Type.Partial(Type.Object(actor))),
  target: Type.Optional(Type.Partial(Type.Object(target))),
  context: Type.Intersect([Type.Object({ teamId: Type.String() }), Type.Partial(Type.Object(context))]),
  changes: Type.Optional(content),
  metadata: Type.Optional(content),
  trailproof: Type.Optional(Marks),
});
export type CanonicalEvent = Static<typeof CanonicalEvent>;
