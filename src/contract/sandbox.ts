import { type Static, Type } from 'typebox';
import { Count, listOf, nullable, TeamQuery, Time } from './common.ts';

/** How a stand-in misbehaves; without `requests` and `ms` until it is told otherwise. */
export const SandboxFault = Type.Object(
  {
    kind: Type.Enum([
      'busy',
      'throttle',
      'error',
      'unauthorized',
      'forbidden',
      'too_large',
      'refuse',
      'reject_items',
      'reset',
      'reset_after',
      'hang',
      'drip',
      'html',
      'redirect',
    ]),
    requests: Type.Optional(Type.Integer({ minimum: 1 })),
    ms: Type.Optional(Type.Integer({ minimum: 1 })),
    every: Type.Optional(Type.Integer({ minimum: 1, description: 'With reject_items: every so many events' })),
  },
  { additionalProperties: false },
);
export type SandboxFault = Static<typeof SandboxFault>;

/** A stand-in for one SIEM, counted on its own side. */
export const StandIn = Type.Object({
  kind: Type.String(),
  title: Type.String(),
  url: Type.String(),
  settings: Type.Record(Type.String(), Type.Unknown(), { description: 'What reaches it, secrets in clear' }),
  fault: nullable(SandboxFault),
  counts: Type.Object({
    requests: Count,
    events: Count,
    distinct: Count,
    duplicates: Count,
    ignoredDuplicates: Count,
    rejected: Count,
  }),
});
export type StandIn = Static<typeof StandIn>;
export const StandInList = listOf(StandIn);

export const StandInParams = Type.Object({ kind: Type.String() });
export const ReceivedQuery = Type.Object(
  { ...TeamQuery.properties, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })) },
  { additionalProperties: false },
);
export const ReceivedList = listOf(
  Type.Object({ id: Type.String(), at: Time, event: Type.Unknown(), record: Type.Unknown() }),
);
