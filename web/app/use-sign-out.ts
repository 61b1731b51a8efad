import { useMutation } from '@tanstack/react-query';
import { auth } from '../api/auth.ts';

/** Ends the session. A new page follows, so that nothing that was read stays in memory. */
export function useSignOut() {
  return useMutation({ mutationFn: () => auth('sign-out'), onSuccess: () => location.assign('/sign-in') });
}
