import { type Static, Type } from 'typebox';
import { nullable, TextOrNull, Time } from './common.ts';
import { ROLES } from './roles.ts';

/** Who is here and what the console needs to know before anything else. Answered to anyone. */
export const Session = Type.Object({
  user: nullable(
    Type.Object({
      id: Type.String(),
      email: Type.String(),
      name: Type.String(),
      twoFactor: Type.Boolean({ description: 'A second factor is set up' }),
    }),
  ),
  /** Those in which the person is active, by name. */
  teams: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), role: Type.Enum(ROLES) })),
  sessionExpiresAt: nullable(Time),
  setupNeeded: Type.Boolean({ description: 'Nobody can sign in yet: open the set-up link from the service’s log' }),
  installation: Type.Object({
    brand: Type.String({ description: 'Whose audit log this is' }),
    version: Type.String(),
    url: Type.String({ description: 'Where people and producers reach the service' }),
    egressAddresses: Type.Array(Type.String()),
    sendsMail: Type.Boolean(),
    hasSandbox: Type.Boolean({ description: 'Stand-ins for the SIEMs run beside the service (demo)' }),
    passwordMinLength: Type.Integer(),
  }),
});
export type Session = Static<typeof Session>;

const token = Type.String({ minLength: 20, maxLength: 200 });
const email = Type.String({ format: 'email', maxLength: 254 });
const name = Type.String({ minLength: 1, maxLength: 128, pattern: '\\S' });
const password = Type.String({ minLength: 1, maxLength: 512 });

/** First start: the first team and its Owner, who is signed in by the answer. */
export const SetUp = Type.Object(
  {
    token,
    team: Type.Object(
      { name, id: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Default: from the name' })) },
      { additionalProperties: false },
    ),
    user: Type.Object({ email, name, password }, { additionalProperties: false }),
  },
  { additionalProperties: false },
);
export type SetUp = Static<typeof SetUp>;

/** A token from a one-time link. */
export const Token = Type.Object({ token }, { additionalProperties: false });

/** What an invitation's link is good for. */
export const InvitationView = Type.Object({
  team: Type.String(),
  email: Type.String(),
  role: Type.Enum(ROLES),
  invitedBy: Type.String(),
  expiresAt: Time,
  hasAccount: Type.Boolean({ description: 'The address has an account: sign in as it, then accept' }),
});
export type InvitationView = Static<typeof InvitationView>;

/** `name` and `password` make the account of who has none. */
export const AcceptInvitation = Type.Object(
  { token, name: Type.Optional(name), password: Type.Optional(password) },
  { additionalProperties: false },
);
/** The team one is in now. */
export const Joined = Type.Object({ team: Type.String() });

/** Sets a new password by a link that was mailed, or printed by the operator; ends every session. */
export const ResetPassword = Type.Object({ token, password }, { additionalProperties: false });
export const AskForReset = Type.Object({ email }, { additionalProperties: false });

export const SavedFilter = Type.Object({
  id: Type.String(),
  name: Type.String(),
  query: Type.String({ description: 'Search part of the page’s address, without ?' }),
  createdAt: Time,
});
export type SavedFilter = Static<typeof SavedFilter>;
export const CreateSavedFilter = Type.Object(
  { name, query: Type.String({ maxLength: 4000 }) },
  { additionalProperties: false },
);

export const OneTimeLink = Type.Object({ url: Type.String(), expiresAt: Time, email: TextOrNull });
