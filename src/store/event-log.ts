import type { LoggedEvent, NewEvents, Sequence, TeamId } from '../event/logged-event.ts';

/**
 * What became of one event handed to `append`. `sequence` is the place of the event, or of the one it collides with. The
 * log of a deleted team takes nothing.
 */
export type Appended =
  | { readonly kind: 'appended'; readonly sequence: Sequence }
  | { readonly kind: 'duplicate'; readonly sequence: Sequence }
  | { readonly kind: 'conflict'; readonly sequence: Sequence }
  | { readonly kind: 'team_deleted' };

/** A read stops at whichever limit comes first, but always returns at least one event when there is one. */
export interface ReadLimit {
  readonly events: number;
  readonly bytes: number;
}

/**
 * The team's log in figures. Both are 0 for a log that never had an event. `first` moves with retention and is
 * `last + 1` when everything was deleted: `last` never goes back.
 */
export interface LogBounds {
  readonly first: Sequence;
  readonly last: Sequence;
}

/** The event log: per team, sequence → immutable event. The only truth; everything else is a reader of it. */
export interface EventLog {
  /**
   * Appends to the teams' logs, all new events or none, and says of each, in order, whether it was appended, a
   * duplicate (same id, same content) or a conflict (same id, other content; also within one call). Resolves once
   * they would survive a crash. Rejects with StoreUnavailable when they would not; then nothing was kept.
   * A team unknown so far gets its log with its first event; a deleted one stays deleted, and its events are not kept.
   */
  append(events: NewEvents): Promise<readonly Appended[]>;
  /**
   * The team's events after `after`, oldest first. An event is visible only when every smaller sequence of its team
   * is, so a reader that keeps the last sequence it saw never misses one. Rejects with StorageDamaged rather than
   * return an event that is not as it was appended, or leave one out.
   */
  read(team: TeamId, after: Sequence, limit: ReadLimit): Promise<readonly LoggedEvent[]>;
  /** Resolves when the team may have events after `after`, or when `signal` aborts. Only a hint: read to find out. */
  waitForMore(team: TeamId, after: Sequence, signal: AbortSignal): Promise<void>;
  find(team: TeamId, id: string): Promise<LoggedEvent | undefined>;
  bounds(team: TeamId): Promise<LogBounds>;
  /** The smallest sequence with receivedAt >= `at` (milliseconds); `last + 1` when there is none. */
  firstReceivedSince(team: TeamId, at: number): Promise<Sequence>;
  /** Categories and event types the team's log has seen, sorted; kept when their events are deleted by retention. */
  vocabulary(team: TeamId): Promise<{ readonly categories: readonly string[]; readonly eventTypes: readonly string[] }>;
  /** Retention: deletes the team's events up to and including `through`; their ids are forgotten. Returns how many. */
  deleteThrough(team: TeamId, through: Sequence): Promise<number>;
  /** Resolves when the store could make something durable now; rejects with StoreUnavailable otherwise. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The store cannot make anything durable at the moment. Nothing of the rejected call was kept. */
export class StoreUnavailable extends Error {
  readonly code: 'storage_full' | 'storage_error';
  constructor(code: 'storage_full' | 'storage_error', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
    this.code = code;
  }
}

/** Bytes on the disk are not those that were written, so they are not handed out. The message says which and what to do. */
export class StorageDamaged extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(`${what}: run "trailproof doctor", and restore the data folder from a backup`, options);
    this.name = 'StorageDamaged';
  }
}
