import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Static } from 'typebox';
import type { CreatedInvitation, InvitationList, Member, MemberList } from '../../../src/contract/administration.ts';
import { sessionQuery, useTeam } from '../../app/session.tsx';

export type { Member };
export type Invitation = Static<typeof InvitationList>['items'][number];
export type NewInvitation = Static<typeof CreatedInvitation>;

export function useMembers() {
  const team = useTeam();
  return useQuery({
    queryKey: ['members', team.id],
    queryFn: async ({ signal }) => (await team.api<Static<typeof MemberList>>('GET', '/v1/members', { signal })).items,
  });
}

export function useInvitations() {
  const team = useTeam();
  return useQuery({
    queryKey: ['invitations', team.id],
    queryFn: async ({ signal }) =>
      (await team.api<Static<typeof InvitationList>>('GET', '/v1/invitations', { signal })).items,
  });
}

/** To be called after a change of people; what one may do oneself may have changed with it. */
export function useRefreshPeople(): () => Promise<unknown> {
  const queryClient = useQueryClient();
  const team = useTeam();
  return () =>
    Promise.all([
      queryClient.invalidateQueries({ queryKey: ['members', team.id] }),
      queryClient.invalidateQueries({ queryKey: ['invitations', team.id] }),
      queryClient.invalidateQueries(sessionQuery),
    ]);
}
