import type { NewEvent, TeamId } from '../event/logged-event.ts';

export interface Team {
  readonly id: TeamId;
  readonly name: string;
  /** Days an event is kept, counted from receivedAt. */
  readonly retentionDays: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly alerts: TeamAlerts;
}

/** Who is told when forwarding turns bad, besides the log itself. */
export interface TeamAlerts {
  /** Mail to Owners and Admins. */
  readonly mail: boolean;
  readonly webhook: {
    readonly url: string;
    /** The signing secret (`whsec_…`), sealed by SecretBox for owner `team:<id>:webhook`. */
    readonly sealed: string;
  } | null;
}

export const DEFAULT_ALERTS: TeamAlerts = { mail: true, webhook: null };

export interface TeamStore {
  /** Without deleted ones. */
  list(): Promise<readonly Team[]>;
  /** undefined for one that was deleted, too. */
  get(id: TeamId): Promise<Team | undefined>;
  /** Creates the team and, in the same transaction, appends `audit`. False when it exists already (then nothing is kept). */
  create(team: Team, audit: readonly NewEvent[]): Promise<boolean>;
  /** Replaces name, retention and alerts. False when there is no such team. */
  update(team: Team, audit: readonly NewEvent[]): Promise<boolean>;
  /**
   * Deletes the team for people and programs at once: its keys are revoked, its people, invitations and saved filters
   * gone, its log takes nothing any more, and its id is never given again. Its events go with the next rounds of
   * retention. `audit` is appended to the logs it names (`_installation` outlives the team). Its destinations are to be
   * removed before. False when there is no such team.
   */
  remove(id: TeamId, at: number, audit: readonly NewEvent[]): Promise<boolean>;
  /** Deleted teams, first deleted first: retention deletes their events. */
  deleted(): Promise<readonly TeamId[]>;
}
