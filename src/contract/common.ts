import { type Static, type TSchema, Type } from 'typebox';

export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds' });
export const TimeOrNull = nullable(Time);
export const TextOrNull = nullable(Type.String());
export const Count = Type.Integer({ minimum: 0 });

/** What every call about a team's things takes. */
export const TeamQuery = Type.Object(
  {
    team: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'Needed with a key of the installation' }),
    ),
  },
  { additionalProperties: false },
);
export type TeamQuery = Static<typeof TeamQuery>;

/** The place in a list that is read page by page. */
export const paging = {
  cursor: Type.Optional(Type.String({ maxLength: 2000, description: '`nextCursor` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
};
/** The place in a list that the store pages; one of no page of ours is refused instead of read as an end. */
const PageCursor = Type.String({ pattern: '^[0-9]{1,16}$', description: '`nextCursor` of the page before' });
export const PageQuery = Type.Object(
  { ...TeamQuery.properties, ...paging, cursor: Type.Optional(PageCursor) },
  { additionalProperties: false },
);

export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) });

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** The form of every list except that of events. */
export function listOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), nextCursor: TextOrNull });
}
