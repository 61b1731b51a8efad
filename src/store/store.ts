import type { Sequence, TeamId } from '../event/logged-event.ts';
import type { AlertStore } from './alerts.ts';
import type { ApiKeyStore } from './api-keys.ts';
import type { DestinationStore } from './destinations.ts';
import type { EventLog } from './event-log.ts';
import type { PeopleStore } from './people.ts';
import type { TeamStore } from './teams.ts';

/** What is kept: one interface per concern, one backend behind them all. */
export interface Store {
  readonly log: EventLog;
  readonly teams: TeamStore;
  readonly keys: ApiKeyStore;
  readonly people: PeopleStore;
  readonly alerts: AlertStore;
  readonly destinations: DestinationStore;
  /** Finishes what was asked for before, then closes. Later calls reject. */
  close(): Promise<void>;
}

/** Called after each commit that appended. */
export type AppendListener = (grown: readonly Growth[]) => void;

/** A team whose log grew, and its last sequence now. */
export interface Growth {
  readonly team: TeamId;
  readonly last: Sequence;
}
