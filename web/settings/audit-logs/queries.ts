import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Destination } from '../../../src/contract/destinations.ts';
import type {
  CategoryList,
  DeliveryList,
  EventTypeList,
  Histogram,
  StoredEvent,
} from '../../../src/contract/events.ts';
import type { SavedFilter } from '../../../src/contract/session.ts';
import { type Query, send, withQuery } from '../../api/api.ts';
import { type CurrentTeam, useTeam } from '../../app/session.tsx';
import { fittingBucket } from './brush.ts';
import { type Filter, queryOf, timesOf } from './filter.ts';
import type { Words } from './filter-words.ts';

/* What this page asks the service. List, histogram and vocabulary do not wait for each other. */

/** A filter seen from one moment: its pages, chart and live tail belong together. */
export interface View {
  readonly id: string;
  readonly filter: Filter;
  /** Milliseconds. */
  readonly seenAt: number;
  readonly query: Query;
}
export function viewOf(team: string, filter: Filter, seenAt: number): View {
  const query = queryOf(filter, seenAt);
  return { id: withQuery(`${team}@${seenAt}`, query), filter, seenAt, query };
}

const PAGE_ROWS = 100;

export interface Page {
  readonly events: readonly StoredEvent[];
  readonly nextCursor: string | null;
  readonly lastSequence: number;
}

/** A page with at least one event, unless there is none left: pages that took the service long may come empty. */
export async function fetchPage(team: CurrentTeam, view: View, start: string | null, signal: AbortSignal) {
  for (let cursor = start; ; ) {
    const query = { ...view.query, cursor, limit: PAGE_ROWS };
    const page = await team.api<Page>('GET', '/v1/events', { query, signal });
    if (page.events.length > 0 || page.nextCursor === null) return page;
    cursor = page.nextCursor;
  }
}

/** The newest page of a view. While another view's is on its way, the one before stays, and says whose it is. */
export function useFirstPage(view: View, enabled: boolean) {
  const team = useTeam();
  return useQuery({
    queryKey: ['events', team.id, view.id, 0],
    queryFn: async ({ signal }) => ({ view, page: await fetchPage(team, view, null, signal) }),
    enabled,
    ...unchanging,
    placeholderData: keepPreviousData,
  });
}

/** Counts over time, with about `bars` bars. An open range is measured from the oldest event kept. */
export function useHistogram(view: View, bars: number, enabled: boolean) {
  const team = useTeam();
  return useQuery({
    queryKey: ['events', team.id, view.id, 'histogram', bars],
    queryFn: async ({ signal }) => {
      const { from, to } = timesOf(view.filter.range, view.seenAt);
      const start = from ?? (await oldest(team, signal));
      const end = to === undefined ? view.seenAt : Date.parse(to);
      const began = start === undefined ? end : Date.parse(start);
      const query = { ...view.query, bucketSeconds: fittingBucket(began, end, bars) };
      const histogram = await team.api<Histogram>('GET', '/v1/events/histogram', { query, signal });
      return { view, histogram, from: from === undefined ? undefined : began, to: end };
    },
    enabled,
    ...unchanging,
    placeholderData: keepPreviousData,
  });
}

export type Counted = NonNullable<ReturnType<typeof useHistogram>['data']>;

async function oldest(team: CurrentTeam, signal: AbortSignal): Promise<string | undefined> {
  const { events } = await team.api<Page>('GET', '/v1/events', { query: { order: 'asc', limit: 1 }, signal });
  return events[0]?.timestamp;
}

/** A view is of one moment: what comes later is the live tail's, so nothing of it is asked again. */
export const unchanging = { staleTime: Number.POSITIVE_INFINITY, gcTime: 20_000 } as const;

export type Category = CategoryList['items'][number];

export function useCategories(options: { readonly since?: string; readonly enabled?: boolean } = {}) {
  const team = useTeam();
  const { since, enabled = true } = options;
  return useQuery({
    queryKey: ['vocabulary', team.id, 'categories', since],
    queryFn: async ({ signal }) =>
      (await team.api<CategoryList>('GET', '/v1/categories', { query: { since }, signal })).items,
    enabled,
    staleTime: 60_000,
  });
}

export function useEventTypes(enabled = true) {
  const team = useTeam();
  return useQuery({
    queryKey: ['vocabulary', team.id, 'types'],
    queryFn: async ({ signal }) => (await team.api<EventTypeList>('GET', '/v1/event-types', { signal })).items,
    enabled,
    staleTime: 60_000,
  });
}

export function useWords(): Words {
  const { data: categories } = useCategories();
  const { data: types } = useEventTypes();
  return useMemo(
    () => ({
      categories: new Map(categories?.map(({ value, label }) => [value, label])),
      types: new Map(types?.flatMap(({ type, title }) => (title === null ? [] : [[type, title] as const]))),
    }),
    [categories, types],
  );
}

export function useDestinations(enabled = true) {
  const team = useTeam();
  return useQuery({
    queryKey: ['siem', team.id, 'destinations'],
    queryFn: async ({ signal }) =>
      (await team.api<{ items: readonly Destination[] }>('GET', '/v1/destinations', { signal })).items,
    enabled: enabled && team.can('destinations:read'),
    staleTime: 30_000,
  });
}

/** One event as it is stored, to the letter. */
export function useStoredText(id: string) {
  const team = useTeam();
  return useQuery({
    queryKey: ['event', team.id, id],
    queryFn: async ({ signal }) => {
      const response = await send('GET', `/v1/events/${encodeURIComponent(id)}`, { query: { team: team.id }, signal });
      const text = await response.text();
      // The service checks events against its schema before it stores them.
      return { text, event: JSON.parse(text) as StoredEvent };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const PENDING_MS = 3_000;

export function useDeliveries(id: string) {
  const team = useTeam();
  return useQuery({
    queryKey: ['event', team.id, id, 'deliveries'],
    queryFn: async ({ signal }) =>
      (await team.api<DeliveryList>('GET', `/v1/events/${encodeURIComponent(id)}/deliveries`, { signal })).items,
    refetchInterval: ({ state }) => (state.data?.some(({ status }) => status === 'pending') ? PENDING_MS : false),
  });
}

export function useSavedViews() {
  const team = useTeam();
  return useQuery({
    queryKey: ['saved-filters', team.id],
    queryFn: async ({ signal }) =>
      (await team.api<{ items: readonly SavedFilter[] }>('GET', '/v1/saved-filters', { signal })).items,
    enabled: team.can('own:settings'),
    staleTime: 60_000,
  });
}
