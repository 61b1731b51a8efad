import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { Timeline } from '../../../../src/contract/destinations.ts';
import { useTeam } from '../../../app/session.tsx';
import type { Attempt, Category, DeadLetter, List, Replay } from '../model.ts';
import { LIVE_MS } from '../queries.ts';
import { RANGES, type RangeName, type StateEvent } from './timeline.ts';

/* What one destination's page asks. */

const PAGE = 50;
const CHART_MS = 15_000;
const STATE_EVENTS = ['siem.destination.state_changed', 'siem.destination.paused', 'siem.destination.resumed'];

/** Deliveries over time, and the events that say how its state changed (none for who may not read events). */
export function useTimeline(id: string, range: RangeName) {
  const team = useTeam();
  const { hours } = RANGES[range];
  return useQuery({
    queryKey: ['siem', team.id, 'timeline', id, range],
    refetchInterval: CHART_MS,
    staleTime: 0,
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - hours * 3_600_000).toISOString();
      const query = { eventType: STATE_EVENTS, target: id, from, limit: 1000 };
      const [{ buckets }, { events }] = await Promise.all([
        team.api<Timeline>('GET', `/v1/destinations/${id}/timeline`, { query: { hours }, signal }),
        team.can('events:read')
          ? team.api<{ events: StateEvent[] }>('GET', '/v1/events', { query, signal })
          : { events: [] },
      ]);
      return { buckets, events, at: Date.now() };
    },
  });
}

/** Attempts, newest first; live as long as only the first page is open. */
export function useAttempts(id: string) {
  return usePages<Attempt>(id, 'attempts', (pages) => pages <= 1);
}

/** Dead letters by sequence; live on the first page, so that those sent again are seen to leave. */
export function useDeadLetters(id: string) {
  return usePages<DeadLetter>(id, 'dead-letters', (pages) => pages <= 1);
}

export function useReplays(id: string) {
  const team = useTeam();
  return useQuery({
    queryKey: ['siem', team.id, 'replays', id],
    queryFn: async ({ signal }) =>
      (await team.api<List<Replay>>('GET', `/v1/destinations/${id}/replays`, { signal })).items,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.some(({ status }) => status === 'running') ? 1_000 : false),
  });
}

/** Categories, built in and seen, each with its events of the last 24 hours. */
export function useCategories() {
  const team = useTeam();
  return useQuery({
    queryKey: ['siem', team.id, 'categories'],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const since = new Date(Date.now() - 86_400_000).toISOString();
      return (await team.api<List<Category>>('GET', '/v1/categories', { query: { since }, signal })).items;
    },
  });
}

function usePages<T>(id: string, what: 'attempts' | 'dead-letters', isLive: (pages: number) => boolean) {
  const team = useTeam();
  return useInfiniteQuery({
    queryKey: ['siem', team.id, what, id],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      team.api<List<T>>('GET', `/v1/destinations/${id}/${what}`, {
        query: { cursor: pageParam, limit: PAGE },
        signal,
      }),
    getNextPageParam: ({ nextCursor }) => nextCursor,
    staleTime: 0,
    refetchInterval: ({ state }) => (isLive(state.data?.pages.length ?? 0) ? LIVE_MS : false),
  });
}
