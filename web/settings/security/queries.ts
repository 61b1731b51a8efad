import { useQuery } from '@tanstack/react-query';
import type { OwnSession } from '../../../src/contract/account.ts';
import { api } from '../../api/api.ts';

export const SESSIONS_KEY = ['own-sessions'] as const;

export function useOwnSessions() {
  return useQuery({
    queryKey: SESSIONS_KEY,
    queryFn: ({ signal }) => api<readonly OwnSession[]>('GET', '/api/auth/list-sessions', { signal }),
  });
}
