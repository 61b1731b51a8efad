import { Button, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Fragment } from 'react';
import type { InvitationView } from '../../src/contract/session.ts';
import { api } from '../api/api.ts';
import { auth } from '../api/auth.ts';
import { ApiProblem } from '../api/problem.ts';
import { sessionQuery, useSession } from '../app/session.tsx';
import { useEnter } from '../app/use-enter.ts';
import { ErrorState } from '../ui/error-state.tsx';
import { FormProblem, useSubmission } from '../ui/form.tsx';
import { PageLink } from '../ui/link.tsx';
import { ROLE_DUTIES } from '../ui/roles.ts';
import { ROLE_NAMES } from '../ui/words.ts';
import { Card } from './frame.tsx';
import { NewPassword, passwordProblem } from './new-password.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { useLinkToken } from './use-link-token.ts';

/** An invitation: what it is to, and the way in for who has an account and who has none. */
export function JoinPage() {
  const token = useLinkToken();
  const { data, error, refetch } = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => api<InvitationView>('POST', '/v1/invitations/lookup', { body: { token } }),
    enabled: token !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!token || (error instanceof ApiProblem && [400, 410].includes(error.status)))
    return (
      <Card title="This invitation is not open any more">
        <Stack gap="md">
          <Text size="sm">
            It was accepted, withdrawn or replaced by a newer one, or it is older than seven days. Whoever invited you,
            or any Owner or Admin of the team, can make a new one under Members.
          </Text>
          <PageLink to="/sign-in" size="sm">
            You joined already? Sign in
          </PageLink>
        </Stack>
      </Card>
    );
  if (error)
    return (
      <Card title="Invitation">
        <ErrorState error={error} retry={() => void refetch()} />
      </Card>
    );
  if (!data)
    return (
      <Card title="Invitation">
        <Stack gap="md" aria-busy="true">
          <Skeleton height={20} />
          <Skeleton height={36} mt="md" />
          <Skeleton height={36} />
        </Stack>
      </Card>
    );
  return (
    <Card
      title={`Join ${data.team}`}
      lead={
        <Fragment>
          {data.invitedBy} invites {data.email} as {ROLE_NAMES[data.role]}. {ROLE_DUTIES[data.role]}
        </Fragment>
      }
    >
      <Ways token={token} invitation={data} />
    </Card>
  );
}

function Ways({ token, invitation }: { token: string; invitation: InvitationView }) {
  const { user } = useSession();
  const enter = useEnter();
  const accept = async (account: { name?: string; password?: string }) => {
    const { team } = await api<{ team: string }>('POST', '/v1/invitations/accept', { body: { token, ...account } });
    await enter(`/?${new URLSearchParams({ team })}`);
  };
  if (user && user.email.toLowerCase() !== invitation.email.toLowerCase())
    return <OtherAccount signedIn={user.email} invited={invitation.email} />;
  if (user) return <JoinSignedIn accept={() => accept({})} />;
  if (!invitation.hasAccount) return <JoinAnew email={invitation.email} accept={accept} />;
  return (
    <Stack gap="md">
      <Text size="sm">This address has an account. Sign in with it, and you are in the team.</Text>
      <SignInForm email={invitation.email} done={() => accept({})} />
    </Stack>
  );
}

function JoinSignedIn({ accept }: { accept: () => Promise<void> }) {
  const { mutate, isPending, error } = useMutation({ mutationFn: accept });
  return (
    <Stack gap="md">
      {error && <FormProblem error={error} />}
      <Button onClick={() => mutate()} loading={isPending} autoFocus fullWidth>
        Join the team
      </Button>
    </Stack>
  );
}

function OtherAccount({ signedIn, invited }: { signedIn: string; invited: string }) {
  const queryClient = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => auth('sign-out'),
    onSuccess: () => queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 }),
  });
  return (
    <Stack gap="md">
      <Text size="sm">
        You are signed in as {signedIn}; the invitation is for {invited}. Sign out, and go on here as {invited}.
      </Text>
      {error && <FormProblem error={error} />}
      <Button onClick={() => mutate()} loading={isPending} fullWidth>
        Sign out {signedIn}
      </Button>
    </Stack>
  );
}

function JoinAnew({
  email,
  accept,
}: {
  email: string;
  accept: (account: { name: string; password: string }) => Promise<void>;
}) {
  const { passwordMinLength } = useSession().installation;
  const form = useForm({
    initialValues: { name: '', password: '' },
    validate: {
      name: isNotEmpty('Type your name.'),
      password: (value, { name }) => passwordProblem(value, passwordMinLength, { email, name }),
    },
  });
  const { onSubmit, busy, problem } = useSubmission(form, accept, () => undefined);
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        <TextInput label="E-mail" value={email} readOnly autoComplete="username" />
        <TextInput label="Your name" autoComplete="name" autoFocus {...form.getInputProps('name')} />
        <NewPassword person={{ email, name: form.values.name }} {...form.getInputProps('password')} />
        {problem}
        <Button type="submit" loading={busy} fullWidth>
          Create the account and join
        </Button>
      </Stack>
    </form>
  );
}
