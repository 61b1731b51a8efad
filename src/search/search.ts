import type { Sequence, TeamId } from '../event/logged-event.ts';

/** The filter of the audit log page, of search and of export (design §5 and §9): absent = any. */
export interface EventQuery {
  /** Event time, milliseconds: `from` inclusive, `to` exclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Repeated values are OR; different parameters AND. Type aliases are mapped before they get here. */
  readonly category?: readonly string[];
  readonly eventType?: readonly string[];
  readonly status?: readonly ('success' | 'failure')[];
  /** Exact id, e-mail (any case) or name. */
  readonly actor?: readonly string[];
  readonly target?: readonly string[];
  /** Exact address or CIDR, IPv4 or IPv6; `::ffff:a.b.c.d` equals `a.b.c.d`. */
  readonly ip?: readonly string[];
  /** Part of e-mail, name, description, type or IP, any case. */
  readonly q?: string;
}

export interface SearchPage {
  /** Stored JSON of each event, in order. */
  readonly events: readonly string[];
  /** Opaque and stable under inserts: pages never repeat or skip an event. null at the end. */
  readonly nextCursor: string | null;
}

/** Queries over the events of one team. Runs on the index worker; a reader of the log, rebuildable, may lag behind it. */
export interface Search {
  /**
   * By sequence: newest first unless `order` is `asc`. Includes what the index has not reached yet; with `through`,
   * nothing behind that place.
   */
  search(
    team: TeamId,
    query: EventQuery,
    page: { order: 'asc' | 'desc'; limit: number; cursor?: string; through?: Sequence },
  ): Promise<SearchPage>;
  /** Counts per bucket of `bucketMs` and status, oldest first, empty buckets left out; and the totals. `through` as above. */
  histogram(team: TeamId, query: EventQuery, bucketMs: number, through?: Sequence): Promise<Histogram>;
  /** How far the index is: events not yet indexed, over all teams. */
  lag(): Promise<number>;
}

export interface Histogram {
  readonly buckets: readonly { readonly at: number; readonly success: number; readonly failure: number }[];
  readonly success: number;
  readonly failure: number;
}

/** A cursor or a filter value that cannot be used; `path` names the parameter. */
export class BadQuery extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}
