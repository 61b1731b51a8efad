import { Alert, Button, Stack, Text } from '@mantine/core';
import { ApiProblem } from '../api/problem.ts';
import { CopyText } from './copy-text.tsx';

/** What could not be shown, why, and what to do. */
export function ErrorState({
  error,
  title = 'This could not be loaded',
  retry,
}: {
  error: unknown;
  title?: string;
  retry?: () => void;
}) {
  const problem = error instanceof ApiProblem ? error : undefined;
  return (
    <Alert color="red" variant="light" title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{error instanceof Error ? error.message : String(error)}</Text>
        {problem?.requestId && (
          <Text size="xs" component="div">
            Request <CopyText value={problem.requestId} />: the service’s log says more under it.
          </Text>
        )}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
