import { Type } from 'typebox';
import { Count, listOf, nullable, TextOrNull, Time, TimeOrNull } from './common.ts';
import { SCOPES } from './scopes.ts';

const teamId = Type.String({ minLength: 1, maxLength: 128, description: "The platform's own id of the team" });
const name = Type.String({ minLength: 1, maxLength: 128 });

export const CreateTeam = Type.Object(
  { id: teamId, name, retentionDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 })) },
  { additionalProperties: false },
);
export const Team = Type.Object({ id: Type.String(), name: Type.String(), retentionDays: Count, createdAt: Time });
export const TeamList = listOf(Team);

export const CreateApiKey = Type.Object(
  {
    name,
    team: Type.Optional(nullable(teamId)),
    scopes: Type.Array(Type.Enum(SCOPES), { minItems: 1, uniqueItems: true }),
    expiresAt: Type.Optional(nullable(Type.String({ description: 'ISO 8601; absent: never' }))),
  },
  { additionalProperties: false },
);
const apiKey = {
  id: Type.String(),
  name: Type.String(),
  team: TextOrNull,
  scopes: Type.Array(Type.String()),
  status: Type.Enum(['active', 'expired', 'revoked']),
  createdAt: Time,
  expiresAt: TimeOrNull,
  lastUsedAt: TimeOrNull,
};
const ApiKey = Type.Object(apiKey);
export const ApiKeyList = listOf(ApiKey);
export const CreatedApiKey = Type.Object({ ...apiKey, key: Type.String({ description: 'Shown this once' }) });
