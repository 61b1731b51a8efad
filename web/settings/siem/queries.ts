import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Destination, Health } from '../../../src/contract/destinations.ts';
import type { CurrentTeam } from '../../app/session.tsx';
import { useTeam } from '../../app/session.tsx';
import { STATES } from '../../ui/words.ts';
import type { Kind, List, Standing } from './model.ts';
import { mayNeedAttention, needsAttention } from './state-line.ts';

/* What these pages ask the service, each under a key that begins with `siem` and the team. */

/** How often what is shown live is asked again, milliseconds; not while the page is hidden. */
export const LIVE_MS = 3_000;
const BANNER_MS = 5_000;
/** What is polled is not asked thrice before it is admitted that no answer came. */
const live = { refetchInterval: LIVE_MS, staleTime: 0, retry: false } as const;

export function useKinds() {
  const team = useTeam();
  return useQuery({
    queryKey: ['siem', team.id, 'kinds'],
    queryFn: async ({ signal }) => (await team.api<List<Kind>>('GET', '/v1/destination-kinds', { signal })).items,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** All destinations, each with how it stands. */
export function useStandings() {
  const team = useTeam();
  return useQuery({
    ...live,
    queryKey: ['siem', team.id, 'standings'],
    queryFn: async ({ signal }) => {
      const destinations = await listDestinations(team, signal);
      return Promise.all(destinations.map((destination) => standingOf(team, destination, signal)));
    },
  });
}

export function useDestination(id: string) {
  const team = useTeam();
  return useQuery({
    ...live,
    queryKey: ['siem', team.id, 'destination', id],
    queryFn: async ({ signal }): Promise<Standing> =>
      standingOf(team, await team.api<Destination>('GET', `/v1/destinations/${id}`, { signal }), signal),
  });
}

/** Those that need somebody to act, on every page of people who may see destinations; `staleSince`: no answer since. */
export function useUnhealthy(): { readonly standings: readonly Standing[]; readonly staleSince: number | null } {
  const team = useTeam();
  const { data, error, dataUpdatedAt } = useQuery({
    queryKey: ['siem', team.id, 'unhealthy'],
    enabled: team.can('destinations:read'),
    refetchInterval: BANNER_MS,
    staleTime: 0,
    retry: false,
    queryFn: async ({ signal }) => {
      const suspects = (await listDestinations(team, signal)).filter(mayNeedAttention);
      return Promise.all(suspects.map((destination) => standingOf(team, destination, signal)));
    },
  });
  return {
    standings: (data ?? [])
      .filter(({ health }) => needsAttention(health, Date.now()))
      .sort((a, b) => urgency(a) - urgency(b)),
    staleSince: error ? dataUpdatedAt : null,
  };
}

/** Red before amber: what needs a person comes first. */
function urgency({ health }: Standing): number {
  return STATES[health.state].mood === 'bad' ? 0 : 1;
}

/** Asks again for everything about the team's destinations: something was changed. */
export function useRefresh(): () => Promise<void> {
  const team = useTeam();
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: ['siem', team.id] });
}

async function listDestinations(team: CurrentTeam, signal: AbortSignal): Promise<readonly Destination[]> {
  return (await team.api<List<Destination>>('GET', '/v1/destinations', { signal })).items;
}

async function standingOf(team: CurrentTeam, destination: Destination, signal: AbortSignal): Promise<Standing> {
  const health = await team.api<Health>('GET', `/v1/destinations/${destination.id}/health`, { signal });
  return { destination, health };
}
