import { Alert, Text } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { oneOf } from '../app/search.ts';
import { useSession } from '../app/session.tsx';
import { useEnter } from '../app/use-enter.ts';
import { Card } from './frame.tsx';
import { safeNext } from './next.ts';
import { SignInForm } from './sign-in-form.tsx';

export function SignInPage() {
  const { setupNeeded } = useSession();
  const search = useSearch({ strict: false });
  const enter = useEnter();
  if (setupNeeded)
    return (
      <Card title="Nobody can sign in yet">
        <Text size="sm">
          This service was just started. Its log holds a one-time set-up link, which makes the first team and its Owner:
          open that link. When it is too old, restart the service for a new one.
        </Text>
      </Card>
    );
  return (
    <Card title="Sign in">
      {oneOf(search['reason']) === 'ended' && (
        <Alert color="gray" variant="light" py="xs" mb="md" role="status">
          Your session has ended. Sign in to go on where you were.
        </Alert>
      )}
      <SignInForm done={() => enter(safeNext(oneOf(search['next']), location.origin))} />
    </Card>
  );
}
