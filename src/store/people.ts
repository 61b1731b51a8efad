import type { Role } from '../contract/roles.ts';
import type { NewEvent, TeamId } from '../event/logged-event.ts';

/** A person's place in a team. Who the person is, `auth/accounts.ts` knows. */
export interface Membership {
  readonly team: TeamId;
  readonly user: string;
  readonly role: Role;
  readonly joinedAt: number;
  /** null: active. */
  readonly deactivatedAt: number | null;
}

/** An invitation that nobody accepted or revoked yet. */
export interface Invitation {
  readonly id: string;
  readonly team: TeamId;
  readonly email: string;
  readonly role: Role;
  /** SHA-256 of the link's token, hex. */
  readonly hash: string;
  /** E-mail of who invited. */
  readonly invitedBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface SavedFilter {
  readonly id: string;
  readonly team: TeamId;
  readonly user: string;
  readonly name: string;
  readonly query: string;
  readonly createdAt: number;
}

/** What came of a change: `last_owner` means it would have left the team without an active Owner, so nothing changed. */
export type MemberChange = 'done' | 'unknown' | 'last_owner';

/** Who is in which team. Every change commits with the audit events that record it, or leaves nothing. */
export interface PeopleStore {
  /** All places of one person, deactivated ones too, oldest first. Those in deleted teams are left out. */
  membershipsOf(user: string): Promise<readonly Membership[]>;
  /** All people of one team, oldest first. */
  membersOf(team: TeamId): Promise<readonly Membership[]>;
  /**
   * Adds a person; takes an invitation with it (by id). False when they are in the team already, or the invitation or
   * the team is gone.
   */
  join(membership: Membership, invitation: string | null, audit: readonly NewEvent[]): Promise<boolean>;
  change(
    team: TeamId,
    user: string,
    change: { readonly role?: Role; readonly deactivatedAt?: number | null },
    audit: readonly NewEvent[],
  ): Promise<MemberChange>;
  /** Their saved filters go with them. */
  leave(team: TeamId, user: string, audit: readonly NewEvent[]): Promise<MemberChange>;

  /** Newest first. */
  invitations(team: TeamId): Promise<readonly Invitation[]>;
  /** Those of one address in any case, newest first. */
  invitationsTo(email: string): Promise<readonly Invitation[]>;
  invitationByHash(hash: string): Promise<Invitation | undefined>;
  /** Replaces an earlier invitation of the same address, in whatever case, to the same team. Rejects when that was deleted. */
  invite(invitation: Invitation, audit: readonly NewEvent[]): Promise<void>;
  /** False when there is no such invitation in the team. */
  revokeInvitation(team: TeamId, id: string, audit: readonly NewEvent[]): Promise<boolean>;

  /** Newest first. */
  savedFilters(team: TeamId, user: string): Promise<readonly SavedFilter[]>;
  saveFilter(filter: SavedFilter): Promise<void>;
  removeFilter(team: TeamId, user: string, id: string): Promise<boolean>;
}
