/** Where pages of a list begin and how to go on behind them: all that is remembered of pages that were let go. */
export type Trail = readonly Place[];
interface Place {
  /** The page's first row. */
  readonly start: number;
  readonly length: number;
  readonly nextCursor: string | null;
}

/** The trail with this page; one that was there already is the same again. */
export function grown(
  trail: Trail,
  page: number,
  { events, nextCursor }: { readonly events: readonly unknown[]; readonly nextCursor: string | null },
): Trail {
  if (page !== trail.length) return trail;
  const before = trail.at(-1);
  return [...trail, { start: before ? before.start + before.length : 0, length: events.length, nextCursor }];
}

/** The page a row is on; undefined: not reached yet. */
export function pageOf(trail: Trail, row: number): number | undefined {
  let [low, high] = [0, trail.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const { start, length } = trail[middle]!;
    if (row < start) high = middle - 1;
    else if (row >= start + length) low = middle + 1;
    else return middle;
  }
  return undefined;
}

/** Rows before the end of what is known at which the next page is asked for. */
const AHEAD_ROWS = 120;

/** Pages to have when the rows [first, last] are looked at: theirs, their neighbours, and the next one in time. */
export function pagesAround(trail: Trail, first: number, last: number): readonly number[] {
  const end = trail.at(-1);
  if (!end) return [0];
  const low = Math.max(0, (pageOf(trail, first) ?? trail.length - 1) - 1);
  const high = Math.min(trail.length - 1, (pageOf(trail, last) ?? trail.length - 1) + 1);
  const goesOn = end.nextCursor !== null && last + AHEAD_ROWS >= end.start + end.length;
  return Array.from({ length: high - low + 1 + Number(goesOn && high === trail.length - 1) }, (_, i) => low + i);
}

export function endOf(trail: Trail): { readonly known: number; readonly isComplete: boolean } {
  const last = trail.at(-1);
  return { known: last ? last.start + last.length : 0, isComplete: last !== undefined && last.nextCursor === null };
}
