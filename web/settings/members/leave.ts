import { useSession, useTeam } from '../../app/session.tsx';
import { useEnter } from '../../app/use-enter.ts';

/** Leaves the team shown, and opens what remains. */
export function useLeave(): () => Promise<void> {
  const team = useTeam();
  const user = useSession().user!;
  const enter = useEnter();
  return async () => {
    await team.api('DELETE', `/v1/members/${encodeURIComponent(user.id)}`);
    await enter('/');
  };
}
