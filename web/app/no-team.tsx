import { Center } from '@mantine/core';
import { EmptyState } from '../ui/empty-state.tsx';
import { AccountMenu } from './account-menu.tsx';
import { useSession } from './session.tsx';

/** For people who were removed from their last team while signed in. */
export function NoTeam() {
  const { user } = useSession();
  return (
    <Center mih="100vh">
      <EmptyState title="You are in no team" action={<AccountMenu />}>
        An Owner or Admin of a team can invite {user?.email}. Until then there is nothing to see here.
      </EmptyState>
    </Center>
  );
}
