import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { sessionQuery } from './session.tsx';

/** Enters the console as whoever is signed in now. What somebody else may have read before is forgotten. */
export function useEnter(): (path: string) => Promise<void> {
  const queryClient = useQueryClient();
  const router = useRouter();
  return async (path) => {
    queryClient.removeQueries({ type: 'inactive' });
    await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
    router.history.replace(path);
  };
}
