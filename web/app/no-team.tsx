import { Button, Center, Stack } from '@mantine/core';
import { EmptyState } from '../ui/empty-state.tsx';
import { FormProblem } from '../ui/form.tsx';
import { LinkButton } from '../ui/link.tsx';
import { useSession } from './session.tsx';
import { useSignOut } from './use-sign-out.ts';

/** Instead of the console: the person is in no team, or not in the one the address names. */
export function NoTeam({ asked }: { asked: string | undefined }) {
  const { user, teams } = useSession();
  const other = teams[0];
  const { mutate: signOut, isPending, error } = useSignOut();
  return (
    <Center mih="100dvh" component="main">
      {asked !== undefined && other ? (
        <EmptyState
          isPage
          title={`You are not in the team “${asked}”`}
          action={
            <LinkButton to="/" search={{ team: other.id }}>
              Open {other.name}
            </LinkButton>
          }
        >
          The address is of a team that {user?.email} was never in, or was removed from. An Owner or Admin of that team
          can invite you.
        </EmptyState>
      ) : (
        <EmptyState
          isPage
          title="You are in no team"
          action={
            <Stack gap="sm">
              <Button variant="default" loading={isPending} onClick={() => signOut()}>
                Sign out
              </Button>
              {error && <FormProblem error={error} />}
            </Stack>
          }
        >
          An Owner or Admin of a team can invite or reactivate {user?.email}. Until then there is nothing to see here.
        </EmptyState>
      )}
    </Center>
  );
}
