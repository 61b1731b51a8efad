import { type Static, Type } from 'typebox';
import { Count, listOf, nullable, TextOrNull, Time, TimeOrNull } from './common.ts';
import { ROLES } from './roles.ts';
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

const role = Type.Enum(ROLES);
const email = Type.String({ format: 'email', maxLength: 254 });

/** A person in a team. */
const member = {
  id: Type.String({ description: 'The person’s id: `actor.id` of what they do' }),
  email: Type.String(),
  name: Type.String(),
  role,
  status: Type.Enum(['active', 'deactivated']),
  twoFactor: Type.Boolean(),
  joinedAt: Time,
  lastSeenAt: TimeOrNull,
};
export const Member = Type.Object(member);
export type Member = Static<typeof Member>;
export const MemberList = listOf(Member);
export const ChangeMember = Type.Object(
  { role: Type.Optional(role), status: Type.Optional(Type.Enum(['active', 'deactivated'])) },
  { additionalProperties: false, minProperties: 1 },
);

const invitation = {
  id: Type.String(),
  email: Type.String(),
  role,
  invitedBy: Type.String(),
  createdAt: Time,
  expiresAt: Time,
  status: Type.Enum(['open', 'expired']),
};
/** Open and expired ones; accepted and revoked ones are gone. */
export const InvitationList = listOf(Type.Object(invitation));
export const CreateInvitation = Type.Object({ email, role }, { additionalProperties: false });
export const CreatedInvitation = Type.Object({
  ...invitation,
  link: Type.String({ description: 'Shown this once; good for one person, seven days' }),
  mailed: Type.Boolean(),
  mailProblem: TextOrNull,
});

/** The team as its people see it. */
export const TeamSettings = Type.Object({
  ...Team.properties,
  alerts: Type.Object({
    mail: Type.Boolean({
      description: 'Owners and Admins get mail when forwarding turns bad and when it is well again',
    }),
    webhookUrl: TextOrNull,
  }),
});
export type TeamSettings = Static<typeof TeamSettings>;
/** Absent fields stay; `webhookUrl` null removes it. */
export const ChangeTeam = Type.Object(
  {
    name: Type.Optional(name),
    retentionDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 })),
    alerts: Type.Optional(
      Type.Object(
        {
          mail: Type.Optional(Type.Boolean()),
          webhookUrl: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 2000 }))),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);
/** The team's name, typed again. */
export const DeleteTeam = Type.Object({ confirm: Type.String() }, { additionalProperties: false });
/** What deleting the team would end. */
export const DeletionPreview = Type.Object({
  events: Count,
  destinations: Count,
  waitingEvents: Count,
  members: Count,
  apiKeys: Count,
});
export const WebhookSecret = Type.Object({
  secret: Type.String({ description: 'whsec_…, shown this once; signs as Standard Webhooks says' }),
});
export const TestAlert = Type.Object({ channel: Type.Enum(['mail', 'webhook']) }, { additionalProperties: false });
export const TestedAlert = Type.Object({
  ok: Type.Boolean(),
  detail: Type.String({ description: 'What was measured' }),
  fix: TextOrNull,
});
