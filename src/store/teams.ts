import type { NewEvent, TeamId } from '../event/logged-event.ts';

export interface Team {
  readonly id: TeamId;
  readonly name: string;
  /** Days an event is kept, counted from receivedAt. */
  readonly retentionDays: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface TeamStore {
  list(): Promise<readonly Team[]>;
  get(id: TeamId): Promise<Team | undefined>;
  /** Creates the team and, in the same transaction, appends `audit`. False when it exists already (then nothing is kept). */
  create(team: Team, audit: readonly NewEvent[]): Promise<boolean>;
}
