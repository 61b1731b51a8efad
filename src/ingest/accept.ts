import type { Sequence, TeamId } from '../event/logged-event.ts';

/** The body formats of `POST /v1/events`. */
export type BodyFormat = 'json' | 'ndjson';

export interface AcceptOptions {
  /** The key's team: events may leave theirs out and may name no other. null: an installation key, every event names its team. */
  readonly team: TeamId | null;
  readonly format: BodyFormat;
  /** Import (`events import`): lines without id get one derived from team, bytes and occurrence number. */
  readonly deriveIds?: boolean;
}

export interface Rejected {
  /** Position in the array, or line number from 0. */
  readonly index: number;
  readonly id: string | null;
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

export interface AcceptResult {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly Rejected[];
  readonly appended: readonly {
    readonly teamId: TeamId;
    readonly firstSequence: Sequence;
    readonly lastSequence: Sequence;
  }[];
}

/** Ingest: parses, validates, normalises and serialises each event once, appends the good ones, judges each alone. */
export interface Accept {
  /**
   * `body` is decompressed UTF-8. Resolves when everything counted as accepted is durable.
   * Rejects with BadBody (unparsable or empty body, too many events), StoreUnavailable, or Overloaded.
   */
  accept(body: Buffer, options: AcceptOptions): Promise<AcceptResult>;
}
