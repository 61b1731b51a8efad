import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { useTeam } from '../../app/session.tsx';
import { fetchPage, type Page, unchanging, type View } from './queries.ts';
import { grown, pageOf, pagesAround, type Trail } from './trail.ts';

/** The rows of a view around those being looked at. */
export interface EventWindow {
  readonly error: Error | null;
  /** undefined: on its way. */
  row(index: number): StoredEvent | undefined;
  /** -1: not among the pages in memory. */
  indexOf(id: string): number;
  retry(): void;
}

export function useTrail(firstPage: Page) {
  return useState<Trail>(() => grown([], 0, firstPage));
}

/**
 * Pages of a view near the rows [first, last]. However far one scrolls, only a few are in memory: of the others just the
 * cursor is kept, by which they are read again. `firstPage` stays.
 */
export function useEventWindow(
  view: View,
  firstPage: Page,
  [trail, setTrail]: ReturnType<typeof useTrail>,
  { first, last }: { readonly first: number; readonly last: number },
): EventWindow {
  const team = useTeam();
  const wanted = pagesAround(trail, first, last).filter((page) => page > 0);
  const results = useQueries({
    queries: wanted.map((page) => ({
      queryKey: ['events', team.id, view.id, page],
      queryFn: ({ signal }: { signal: AbortSignal }) => fetchPage(team, view, trail[page - 1]!.nextCursor, signal),
      ...unchanging,
    })),
  });
  const pages = new Map([[0, firstPage]]);
  let known = trail;
  for (const [i, page] of wanted.entries()) {
    const answer = results[i]?.data;
    if (!answer) continue;
    pages.set(page, answer);
    known = grown(known, page, answer);
  }
  if (known !== trail) setTrail(known);

  return {
    error: results.find(({ error }) => error)?.error ?? null,
    row: (index) => {
      const page = pageOf(trail, index);
      return page === undefined ? undefined : pages.get(page)?.events[index - trail[page]!.start];
    },
    indexOf: (id) => {
      for (const [page, { events }] of pages) {
        const at = events.findIndex((event) => event.id === id);
        if (at !== -1 && trail[page]) return trail[page].start + at;
      }
      return -1;
    },
    retry: () => results.filter(({ isError }) => isError).forEach(({ refetch }) => void refetch()),
  };
}
