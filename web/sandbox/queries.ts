import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Static } from 'typebox';
import type { Destination } from '../../src/contract/destinations.ts';
import type { ReceivedList, SandboxFault, StandIn } from '../../src/contract/sandbox.ts';
import { useTeam } from '../app/session.tsx';

/* What the sandbox's page asks, every 2 s while it is seen. */

const live = { refetchInterval: 2_000, staleTime: 0, retry: false } as const;

export function useStandIns() {
  const team = useTeam();
  return useQuery({
    ...live,
    queryKey: ['sandbox', team.id],
    queryFn: async ({ signal }) => (await team.api<{ items: StandIn[] }>('GET', '/v1/sandbox', { signal })).items,
  });
}

export function useReceived(kind: string) {
  const team = useTeam();
  return useQuery({
    ...live,
    queryKey: ['sandbox', team.id, 'received', kind],
    queryFn: async ({ signal }) =>
      (
        await team.api<Static<typeof ReceivedList>>('GET', `/v1/sandbox/${kind}/received`, {
          query: { limit: 10 },
          signal,
        })
      ).items,
  });
}

/** The team's destinations that send to a stand-in, to link each to its own. */
export function useDestinations() {
  const team = useTeam();
  return useQuery({
    ...live,
    queryKey: ['sandbox', team.id, 'destinations'],
    queryFn: async ({ signal }) =>
      (await team.api<{ items: Destination[] }>('GET', '/v1/destinations', { signal })).items,
  });
}

/** Makes a stand-in misbehave; null: come back. */
export function useFault(kind: string) {
  const team = useTeam();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (fault: SandboxFault | null) =>
      fault === null
        ? team.api('DELETE', `/v1/sandbox/${kind}/fault`)
        : team.api('PUT', `/v1/sandbox/${kind}/fault`, { body: fault }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['sandbox', team.id] }),
  });
}
