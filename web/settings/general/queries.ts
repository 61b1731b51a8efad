import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Static } from 'typebox';
import type { ChangeTeam, TeamSettings } from '../../../src/contract/administration.ts';
import { sessionQuery, useTeam } from '../../app/session.tsx';

export type TeamChange = Static<typeof ChangeTeam>;

export function useTeamSettings() {
  const team = useTeam();
  return useQuery({
    queryKey: ['team', team.id],
    queryFn: ({ signal }) => team.api<TeamSettings>('GET', '/v1/team', { signal }),
  });
}

/** Changes settings of the team shown; every page sees them then. */
export function useChangeTeam(): (change: TeamChange) => Promise<TeamSettings> {
  const team = useTeam();
  const queryClient = useQueryClient();
  return async (change) => {
    const settings = await team.api<TeamSettings>('PATCH', '/v1/team', { body: change });
    queryClient.setQueryData(['team', team.id], settings);
    if (change.name !== undefined) await queryClient.invalidateQueries(sessionQuery);
    return settings;
  };
}
