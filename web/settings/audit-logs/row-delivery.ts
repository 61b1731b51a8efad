import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import type { DeliverySummaryList } from '../../../src/contract/events.ts';
import { useTeam } from '../../app/session.tsx';

export type RowDelivery = DeliverySummaryList['items'][number];

const PENDING_MS = 4_000;
const REMEMBERED = 2_000;

/**
 * Where the shown events stand, asked for in one call; those that have arrived everywhere are not asked for again. `ids`
 * should be those at which scrolling came to rest.
 */
export function useRowDeliveries(ids: readonly string[], enabled: boolean): ReadonlyMap<string, RowDelivery> {
  const team = useTeam();
  const settled = useRef(new Map<string, RowDelivery>());
  const { data } = useQuery({
    queryKey: ['row-deliveries', team.id, ids],
    queryFn: async ({ signal }) => {
      const open = ids.filter((id) => !settled.current.has(id)).slice(0, 100);
      const query = { id: open };
      const { items } =
        open.length === 0
          ? { items: [] }
          : await team.api<DeliverySummaryList>('GET', '/v1/deliveries', { query, signal });
      if (settled.current.size > REMEMBERED) settled.current.clear();
      for (const item of items) if (item.matched === item.delivered) settled.current.set(item.id, item);
      return new Map(items.map((item) => [item.id, item]));
    },
    enabled: enabled && ids.length > 0,
    refetchInterval: ({ state }) =>
      [...(state.data?.values() ?? [])].some(({ worst }) => worst === 'pending') ? PENDING_MS : false,
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  return new Map([...settled.current, ...(data ?? [])]);
}
