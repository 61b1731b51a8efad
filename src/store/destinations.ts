import type { NewEvent, Sequence, TeamId } from '../event/logged-event.ts';

/** A destination's filter from `fromSequence` on. Pending events keep the filter under which they matched. */
export interface FilterVersion {
  readonly fromSequence: Sequence;
  /** null: every category, now and later. */
  readonly categories: readonly string[] | null;
  /** null: every event type. */
  readonly eventTypes: readonly string[] | null;
  /** With `categories` set: also categories not in `knownCategories`. */
  readonly newCategories: boolean;
  /** Built-in categories and those the team had seen when the filter was saved. */
  readonly knownCategories: readonly string[];
}

/** The kind of a destination whose row cannot be read any more: it holds, and keeps its events, until a person acts. */
export const DAMAGED_KIND = 'damaged';

/** A configured destination, as kept. */
export interface StoredDestination {
  readonly id: string;
  readonly team: TeamId;
  readonly kind: string;
  readonly name: string;
  /** Settings without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Secret settings by name, sealed by SecretBox for owner `destination:<id>:<name>`. */
  readonly sealed: Readonly<Record<string, string>>;
  /** Oldest first, never empty; versions wholly before the scan are dropped. */
  readonly filters: readonly FilterVersion[];
  /** Counting and delivery begin after this sequence. */
  readonly startAfter: Sequence;
  /** Requests in flight at once; above 1 order is traded for speed. 1 to 8. */
  readonly parallel: number;
  /** How long to gather events before sending when idle. */
  readonly lingerMs: number;
  readonly paused: { readonly by: string; readonly at: number } | null;
  readonly createdAt: number;
  /** Last change of settings, name or filter. */
  readonly updatedAt: number;
}

/** States as shown (design §3, §9). `pending`: new, nothing delivered yet. */
export type DestinationState =
  | 'pending'
  | 'connected'
  | 'retrying'
  | 'throttled'
  | 'disconnected'
  | 'authentication_failed'
  | 'misconfigured'
  | 'paused';

/** The durable half of a lane; one writer, the lane itself, always writes it whole. */
export interface Progress {
  /** Every event up to here is settled or filtered. */
  readonly cursor: Sequence;
  /** Sequences settled beyond the cursor (partly accepted batch, parallel batches); bounded by what may be in flight. */
  readonly settledAhead: readonly Sequence[];
  /** Every event up to here is counted as matched or filtered. Never below `cursor`. */
  readonly scanned: Sequence;
  readonly matched: number;
  readonly filtered: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly state: DestinationState;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly cause: string | null;
  readonly fix: string | null;
  /** What was held for: written so that a credential error survives a restart. */
  readonly held: boolean;
  /** Ids of the latest dead letters refused one by one with nothing delivered between (rule of ten, design §3). */
  readonly refusedRun: readonly string[];
  readonly lastSuccessAt: number | null;
  readonly lastError: { readonly at: number; readonly reason: string } | null;
}

export interface DeadLetter {
  /** The event's id: a destination has at most one dead letter per event. */
  readonly id: string;
  readonly sequence: Sequence;
  readonly eventType: string;
  readonly eventCategory: string;
  readonly timestamp: number;
  readonly receivedAt: number;
  readonly at: number;
  readonly reason: string;
  readonly status: number | null;
  readonly answer: string | null;
  /** The event's stored JSON: a dead letter outlives retention. */
  readonly json: string;
  /** Asked to be sent again: it counts as pending, not as dead letter, until settled anew. */
  readonly redriving: boolean;
}

export interface Attempt {
  readonly at: number;
  readonly kind: 'delivery' | 'redrive' | 'replay' | 'check' | 'test';
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** Events in the batch. */
  readonly events: number;
  /** Of these, how many the SIEM accepted: all when `delivered`, some when `partial`, else 0. */
  readonly delivered: number;
  /** Bytes sent as body. */
  readonly bytes: number;
  readonly durationMs: number;
  /** How old, by receivedAt, the batch's oldest event was `at` that time; null where no event of the log was sent. */
  readonly lagMs: number | null;
  readonly outcome: 'delivered' | 'partial' | 'retry' | 'throttled' | 'refused' | 'misconfigured';
  readonly status: number | null;
  readonly reason: string | null;
  readonly answer: string | null;
}

/** Deliveries and redrives that began within one minute or hour. */
export interface TimelineBucket {
  /** Its begin, milliseconds since the epoch. */
  readonly at: number;
  /** Events delivered. */
  readonly delivered: number;
  /** Attempts that delivered nothing. */
  readonly failed: number;
  /** Of all attempts, failed ones too; null: not known (attempts of earlier versions). */
  readonly maxLagMs: number | null;
}

export interface Replay {
  readonly id: string;
  /** Sequences sent again: after `after`, up to and including `through`; those that match the current filter. */
  readonly after: Sequence;
  readonly through: Sequence;
  /** How many events and bytes of JSON matched when it was asked for. */
  readonly events: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
  readonly cursor: Sequence;
  readonly delivered: number;
  readonly rejected: number;
  readonly status: 'running' | 'done' | 'cancelled';
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** What a lane writes down at once: progress, dead letters, attempt and audit events together. */
export interface Settlement {
  readonly destination: string;
  readonly progress: Progress;
  /** New dead letters; one that exists (a redriven one refused again) is overwritten, its `redriving` cleared. */
  readonly deadLetters?: readonly DeadLetter[];
  /** Ids of redriven dead letters that were delivered: deleted. */
  readonly redriven?: readonly string[];
  /** Ids of dead letters that count as pending from now on (redrive, rule of ten). */
  readonly redrive?: readonly string[];
  readonly attempt?: Attempt;
  readonly replay?: Replay;
  readonly audit?: readonly NewEvent[];
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; null at the end. */
  readonly nextCursor: string | null;
}

/**
 * Destinations, their progress and what delivery writes down. Every change commits together with its audit events, or
 * rejects and leaves nothing: with StoreUnavailable, or with an Error when it names an unknown destination.
 */
export interface DestinationStore {
  list(team?: TeamId): Promise<readonly StoredDestination[]>;
  get(id: string): Promise<StoredDestination | undefined>;
  create(destination: StoredDestination, progress: Progress, audit: readonly NewEvent[]): Promise<void>;
  update(destination: StoredDestination, audit: readonly NewEvent[]): Promise<void>;
  /** Deletes the destination with its progress, dead letters, attempts and replays. */
  remove(id: string, audit: readonly NewEvent[]): Promise<void>;
  progress(id: string): Promise<Progress | undefined>;
  /** One after the other, in one transaction: all or nothing. */
  settle(...settlements: readonly Settlement[]): Promise<void>;
  /** By sequence, oldest first. */
  deadLetters(id: string, options: { cursor?: string; limit: number; redriving?: boolean }): Promise<Page<DeadLetter>>;
  deadLetter(id: string, event: string): Promise<DeadLetter | undefined>;
  /** Newest first. */
  attempts(id: string, options: { cursor?: string; limit: number }): Promise<Page<Attempt>>;
  /** The successful attempt whose range holds the sequence, newest first; undefined when none is kept. */
  attemptFor(id: string, sequence: Sequence): Promise<Attempt | undefined>;
  /** Deliveries and redrives since `since` (milliseconds): events delivered, attempts that delivered nothing. Exact. */
  attemptTotals(id: string, since: number): Promise<{ delivered: number; failedAttempts: number }>;
  /**
   * The same by whole minutes or hours of UTC that overlap [from, to), milliseconds; oldest first, those without attempts
   * left out. Of a range longer than 1,500 of them, the newest.
   */
  timeline(id: string, from: number, to: number, unit: 'minute' | 'hour'): Promise<readonly TimelineBucket[]>;
  /** Newest first. */
  replays(id: string): Promise<readonly Replay[]>;
  /** Deletes attempts older than `at` (milliseconds). */
  pruneAttempts(at: number): Promise<void>;
}
