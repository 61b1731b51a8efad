import type { DestinationState } from './destinations.ts';

/** What was last told about a destination: survives a restart, so that nobody is told twice or never. */
export interface Alerted {
  readonly destination: string;
  /** The state told last. */
  readonly state: DestinationState;
  /** When each state was told last, milliseconds: a state is told at most once in a quarter of an hour. */
  readonly toldAt: Readonly<Partial<Record<DestinationState, number>>>;
}

export interface AlertStore {
  list(): Promise<readonly Alerted[]>;
  /** Replaces what is known of the destination; forgets it with the destination itself. */
  put(alerted: Alerted): Promise<void>;
}
