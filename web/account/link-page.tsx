import { Button, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api } from '../api/api.ts';
import { ApiProblem } from '../api/problem.ts';
import { useEnter } from '../app/use-enter.ts';
import { FormProblem } from '../ui/form.tsx';
import { LinkButton } from '../ui/link.tsx';
import { Card } from './frame.tsx';
import { useLinkToken } from './use-link-token.ts';

/** Signs in by a one-time link. A query and no effect of the page: the link works once, whatever renders twice. */
export function LinkPage() {
  const token = useLinkToken();
  const enter = useEnter();
  const { error, refetch, isFetching } = useQuery({
    queryKey: ['sign-in-link', token],
    queryFn: async () => {
      await api('POST', '/v1/links/sign-in', { body: { token } });
      await enter('/');
      return null;
    },
    enabled: token !== undefined,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const isVoid = !token || (error instanceof ApiProblem && [400, 410].includes(error.status));
  if (isVoid)
    return (
      <Card
        title="This link does not sign you in"
        lead="It works once and for a short time: it was used, or is too old."
      >
        <Stack gap="md">
          <Text size="sm">Open the newest link you were given, or sign in with your password.</Text>
          <LinkButton to="/sign-in" fullWidth>
            Sign in
          </LinkButton>
        </Stack>
      </Card>
    );
  if (error && !isFetching)
    return (
      <Card title="Not signed in yet">
        <Stack gap="md">
          <FormProblem error={error} />
          <Button onClick={() => void refetch()} fullWidth>
            Try again
          </Button>
        </Stack>
      </Card>
    );
  return (
    <Card title="Signing you in …">
      <Loader size="sm" aria-label="Signing in" />
    </Card>
  );
}
