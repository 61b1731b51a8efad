import { Anchor, Button, Code, Stack, Text, TextInput } from '@mantine/core';
import { isEmail, isNotEmpty, useForm } from '@mantine/form';
import { useState } from 'react';
import type { SetUp } from '../../src/contract/session.ts';
import { api } from '../api/api.ts';
import { ApiProblem } from '../api/problem.ts';
import { useSession } from '../app/session.tsx';
import { useEnter } from '../app/use-enter.ts';
import { useSubmission } from '../ui/form.tsx';
import { LinkButton } from '../ui/link.tsx';
import { Card } from './frame.tsx';
import { NewPassword, passwordProblem } from './new-password.tsx';
import { teamIdOf } from './team-id.ts';
import { useLinkToken } from './use-link-token.ts';

/** First start: the first team and its Owner, who then connects the first SIEM. */
export function SetupPage() {
  const token = useLinkToken();
  const { setupNeeded } = useSession();
  const [isVoid, setVoid] = useState(false);
  if (!setupNeeded && !isVoid)
    return (
      <Card
        title="This service is set up"
        lead="Its first team and Owner exist. Sign in, or ask an Owner for an invitation."
      >
        <LinkButton to="/sign-in" fullWidth>
          Sign in
        </LinkButton>
      </Card>
    );
  if (!token || isVoid)
    return (
      <Card
        title="Open the set-up link"
        lead={
          isVoid
            ? 'This link was used, or the service was restarted since. Its log holds the link that is good now.'
            : 'The service writes a one-time link into its log when it starts. Open that link: it ends in # and a long word.'
        }
      >
        <Text size="sm">No link there? Restart the service, and it writes a new one.</Text>
      </Card>
    );
  return <SetupForm token={token} onVoid={() => setVoid(true)} />;
}

function SetupForm({ token, onVoid }: { token: string; onVoid: () => void }) {
  const { passwordMinLength, brand } = useSession().installation;
  const enter = useEnter();
  const [ownId, setOwnId] = useState(false);
  const form = useForm({
    initialValues: { team: { name: '', id: '' }, user: { name: '', email: '', password: '' } },
    validate: {
      team: {
        name: isNotEmpty('Name the team: your company, or a part of it.'),
        id: (id) =>
          ownId && !id.trim()
            ? 'Type the id, or go back to the one made from the name.'
            : id.startsWith('_')
              ? 'An id does not begin with _.'
              : null,
      },
      user: {
        name: isNotEmpty('Type your name.'),
        email: isEmail('Type your e-mail address: you sign in with it.'),
        password: (value, { user }) => passwordProblem(value, passwordMinLength, user),
      },
    },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    async ({ team, user }) => {
      const body: SetUp = {
        token,
        team: { name: team.name.trim(), ...(ownId && { id: team.id.trim() }) },
        user: { ...user, email: user.email.trim() },
      };
      try {
        return await api<{ team: string }>('POST', '/v1/setup', { body });
      } catch (error) {
        if (error instanceof ApiProblem && error.code === 'link_invalid') onVoid();
        throw error;
      }
    },
    ({ team }) => enter(`/settings/siem?${new URLSearchParams({ team })}`),
  );
  const { team, user } = form.values;
  return (
    <Card title="Set up Trailproof" lead={`The first team in the audit log of ${brand}, and you as its Owner.`}>
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="md">
          <TextInput
            label="Team"
            placeholder="Acme"
            autoComplete="organization"
            autoFocus
            {...form.getInputProps('team.name')}
          />
          {ownId ? (
            <TextInput
              label="Team id"
              description="What your platform calls this team: producers send it as context.teamId. It stays as it is."
              autoComplete="off"
              spellCheck={false}
              {...form.getInputProps('team.id')}
            />
          ) : (
            <Text size="xs" c="dimmed" mt={-8}>
              {team.name.trim() ? (
                <>
                  Producers call it <Code>{teamIdOf(team.name)}</Code>.{' '}
                </>
              ) : (
                'Producers call it by an id made from this name. '
              )}
              <Anchor
                component="button"
                type="button"
                size="xs"
                onClick={() => {
                  form.setFieldValue('team.id', teamIdOf(team.name));
                  setOwnId(true);
                }}
              >
                Choose another id
              </Anchor>
            </Text>
          )}
          <TextInput label="Your name" autoComplete="name" {...form.getInputProps('user.name')} />
          <TextInput label="Your e-mail" type="email" autoComplete="username" {...form.getInputProps('user.email')} />
          <NewPassword person={user} {...form.getInputProps('user.password')} />
          {problem}
          <Button type="submit" loading={busy} fullWidth>
            Set up and connect a SIEM
          </Button>
        </Stack>
      </form>
    </Card>
  );
}
