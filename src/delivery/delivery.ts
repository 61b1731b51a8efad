import type { NewEvent, TeamId } from '../event/logged-event.ts';
import type {
  Attempt,
  DeadLetter,
  DestinationState,
  Page,
  Replay,
  StoredDestination,
  TimelineBucket,
} from '../store/destinations.ts';

/**
 * Delivery as the rest of the service sees it. It runs on the log worker; every method is safe to call over the worker
 * port: arguments and results are plain data. Every change takes the audit events that record it and commits them in
 * the same transaction. An unknown destination id rejects with UnknownDestination.
 */
export interface Delivery {
  list(team?: TeamId): Promise<readonly StoredDestination[]>;
  get(id: string): Promise<StoredDestination | undefined>;
  /** Keeps the destination and starts its lane. `startAt`: 'now', 'beginning' or milliseconds since the epoch (receivedAt). */
  create(destination: NewDestination, audit: readonly NewEvent[]): Promise<StoredDestination>;
  /** Takes effect at once; a held destination is re-checked at once. Filters take effect at the next sequence. */
  update(id: string, change: DestinationChange, audit: readonly NewEvent[]): Promise<StoredDestination>;
  remove(id: string, audit: readonly NewEvent[]): Promise<void>;
  pause(id: string, by: string, audit: readonly NewEvent[]): Promise<void>;
  resume(id: string, audit: readonly NewEvent[]): Promise<void>;
  health(id: string): Promise<Health>;
  attempts(id: string, options: { cursor?: string; limit: number }): Promise<Page<Attempt>>;
  /** Deliveries and redrives over time, as DestinationStore has it: at most 1,500 minutes or hours that overlap [from, to). */
  timeline(id: string, from: number, to: number, unit: 'minute' | 'hour'): Promise<readonly TimelineBucket[]>;
  deadLetters(id: string, options: { cursor?: string; limit: number }): Promise<Page<DeadLetter>>;
  /** Sends dead letters again: all, or those of these event ids. Returns how many were found. */
  redrive(id: string, ids: readonly string[] | null, audit: readonly NewEvent[]): Promise<number>;
  /** How many events (and bytes of JSON) a replay of [from, to) by receivedAt would send. */
  countReplay(id: string, from: number, to: number): Promise<{ events: number; bytes: number }>;
  replay(id: string, from: number, to: number, audit: readonly NewEvent[]): Promise<Replay>;
  replays(id: string): Promise<readonly Replay[]>;
  cancelReplay(id: string, replay: string, audit: readonly NewEvent[]): Promise<boolean>;
  /** Where one event stands at every destination of its team. */
  deliveriesOf(team: TeamId, event: string): Promise<readonly EventDelivery[] | undefined>;
  /** Sums over all teams, by kind and state: for metrics, which carry no team names. */
  totals(): Promise<readonly DeliveryTotals[]>;
  /** A test was made by hand: kept in the attempts list; a success re-checks a held destination at once. */
  tested(id: string, attempt: Attempt, audit: readonly NewEvent[]): Promise<void>;
}

export type NewDestination = Omit<StoredDestination, 'startAfter' | 'filters' | 'paused'> & {
  readonly filter: DestinationFilter;
  readonly startAt: 'now' | 'beginning' | number;
};

export interface DestinationFilter {
  readonly categories: readonly string[] | null;
  readonly eventTypes: readonly string[] | null;
  readonly newCategories: boolean;
}

export type DestinationChange = Partial<
  Pick<StoredDestination, 'name' | 'settings' | 'sealed' | 'parallel' | 'lingerMs'> & {
    readonly filter: DestinationFilter;
  }
> & { readonly updatedAt: number };

export interface Health {
  readonly state: DestinationState;
  readonly since: number;
  readonly cause: string | null;
  readonly fix: string | null;
  /** When the next try or re-check is due; null when nothing waits for time. */
  readonly nextAttemptAt: number | null;
  /** Set when the oldest waiting event is about to leave (or has left) the SIEM's time window. */
  readonly warning: string | null;
  readonly lag: { readonly events: number; readonly seconds: number };
  readonly counts: {
    readonly matched: number;
    readonly filtered: number;
    readonly delivered: number;
    readonly deadLettered: number;
    readonly pending: number;
  };
  readonly last24h: { readonly delivered: number; readonly failedAttempts: number };
  readonly lastSuccessAt: number | null;
  readonly lastError: { readonly at: number; readonly reason: string } | null;
}

export interface DeliveryTotals {
  readonly kind: string;
  readonly state: DestinationState;
  readonly destinations: number;
  readonly matched: number;
  readonly filtered: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly pending: number;
}

export interface EventDelivery {
  readonly destination: string;
  readonly name: string;
  readonly kind: string;
  readonly status: 'delivered' | 'pending' | 'filtered' | 'dead_letter' | 'before_start';
  readonly attempt: Attempt | null;
  readonly reason: string | null;
}

export class UnknownDestination extends Error {
  readonly code = 'not_found';
}
