import type { Permission, Role } from '../contract/roles.ts';
import type { TeamId } from '../event/logged-event.ts';
import type { Invitation, Membership } from '../store/people.ts';
import type { Account, AccountProblem, NewAccount } from './accounts.ts';
import type { OneTimeLinks } from './one-time-links.ts';
import type { Actor, Origin, Principal } from './principal.ts';

/** A person in a team, with who they are. */
export interface Member extends Membership {
  readonly account: Account;
}

/** Why a change of people was refused. */
export type Refusal =
  | 'unknown'
  /** It would leave the team without an active Owner. */
  | 'last_owner'
  /** Only an Owner makes, changes or removes an Owner. */
  | 'owners_only'
  | 'already_member'
  /** Nobody deactivates themselves: they could not undo it. */
  | 'oneself';

/** Teams of people: memberships, roles and invitations. Every change is recorded in the team's log. */
export interface People {
  /** The teams in which the person is active, and their roles. Remembered; a change here is seen at once. */
  rolesOf(user: string): Promise<ReadonlyMap<TeamId, Role>>;
  /**
   * The teams whose logs record what happens to the person's account, and without which nobody signs in: those they are
   * active in, else those that invite them.
   */
  concernedBy(user: string): Promise<ReadonlyMap<TeamId, Role>>;
  /** Active Owners and Admins. */
  administratorsOf(team: TeamId): Promise<readonly Account[]>;
  /** Forgets all roles: a team is gone. */
  forgetRoles(): void;
  /** Resolves when the person is no longer allowed this in the team. For answers that go on, such as a live tail. */
  disallowed(user: string, team: TeamId, permission: Permission, signal: AbortSignal): Promise<void>;
  members(team: TeamId): Promise<readonly Member[]>;
  setRole(team: TeamId, user: string, role: Role, by: Principal, origin: Origin): Promise<Member | Refusal>;
  /** Deactivation ends the person's sessions at once. */
  setActive(team: TeamId, user: string, active: boolean, by: Principal, origin: Origin): Promise<Member | Refusal>;
  /** Ends the person's sessions at once, unless they leave by themselves. */
  remove(team: TeamId, user: string, by: Principal, origin: Origin): Promise<'done' | Refusal>;

  invitations(team: TeamId): Promise<readonly Invitation[]>;
  /** `token` goes into the link and is kept only as a hash. */
  invite(
    team: TeamId,
    email: string,
    role: Role,
    by: Principal,
    origin: Origin,
  ): Promise<{ readonly invitation: Invitation; readonly token: string } | Refusal>;
  revokeInvitation(team: TeamId, id: string, by: Actor): Promise<boolean>;
  /** undefined: no such invitation, or it is expired. */
  invitation(token: string): Promise<(Invitation & { readonly hasAccount: boolean }) | undefined>;
  /** As the person signed in, or with a new account. Resolves with who joined. */
  accept(
    token: string,
    as: Account | Pick<NewAccount, 'name' | 'password'>,
    origin: Origin,
  ): Promise<
    { readonly team: TeamId; readonly account: Account } | AccountProblem | 'unknown' | 'other_address' | 'has_account'
  >;

  readonly links: OneTimeLinks;
  /** The first team and its Owner; the team may exist already. */
  setUp(
    team: { readonly id: TeamId; readonly name: string; readonly retentionDays: number },
    account: NewAccount,
    origin: Origin,
  ): Promise<Account | AccountProblem>;
}
