import type { Role } from '../contract/roles.ts';
import type { TeamId } from '../event/logged-event.ts';
import type { Invitation, Membership } from '../store/people.ts';
import type { Account, AccountProblem, NewAccount } from './accounts.ts';
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
  | 'already_member';

/** Teams of people: memberships, roles, invitations and one-time links. Every change is recorded in the team's log. */
export interface People {
  /** The teams in which the person is active, and their roles. Remembered; a change here is seen at once. */
  rolesOf(user: string): Promise<ReadonlyMap<TeamId, Role>>;
  members(team: TeamId): Promise<readonly Member[]>;
  setRole(team: TeamId, user: string, role: Role, by: Principal, origin: Origin): Promise<Member | Refusal>;
  /** Deactivation ends the person's sessions at once. */
  setActive(team: TeamId, user: string, active: boolean, by: Principal, origin: Origin): Promise<Member | Refusal>;
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

  /** A one-time link's token; kept in memory as a hash, so a restart makes it void. `setup` opens the first account. */
  issueLink(purpose: LinkPurpose, forMs: number): string;
  /** Uses the link up. undefined: unknown, used, or too old. */
  redeemLink(token: string, kind: LinkPurpose['kind']): LinkPurpose | undefined;
  /** The first team and its Owner; the team may exist already. */
  setUp(
    team: { readonly id: TeamId; readonly name: string },
    account: NewAccount,
    origin: Origin,
  ): Promise<Account | AccountProblem>;
}

export type LinkPurpose =
  | { readonly kind: 'setup' }
  | { readonly kind: 'sign-in'; readonly user: string }
  | { readonly kind: 'reset'; readonly user: string };
