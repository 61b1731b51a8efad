import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Static } from 'typebox';
import type { ApiKeyList, CreatedApiKey } from '../../../src/contract/administration.ts';
import { useTeam } from '../../app/session.tsx';

export type ApiKey = Static<typeof ApiKeyList>['items'][number];
export type NewApiKey = Static<typeof CreatedApiKey>;

export function useApiKeys() {
  const team = useTeam();
  return useQuery({
    queryKey: ['api-keys', team.id],
    queryFn: async ({ signal }) => (await team.api<Static<typeof ApiKeyList>>('GET', '/v1/api-keys', { signal })).items,
  });
}

export function useRefreshApiKeys(): () => Promise<unknown> {
  const queryClient = useQueryClient();
  const team = useTeam();
  return () => queryClient.invalidateQueries({ queryKey: ['api-keys', team.id] });
}
