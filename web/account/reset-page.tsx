import { Button, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { api } from '../api/api.ts';
import { ApiProblem } from '../api/problem.ts';
import { useSession } from '../app/session.tsx';
import { CopyText } from '../ui/copy-text.tsx';
import { useSubmission } from '../ui/form.tsx';
import { LinkButton, PageLink } from '../ui/link.tsx';
import { Card } from './frame.tsx';
import { NewPassword, passwordProblem } from './new-password.tsx';
import { useLinkToken } from './use-link-token.ts';

/** With a link: a new password. Without: the way to such a link. */
export function ResetPage() {
  const token = useLinkToken();
  const { sendsMail } = useSession().installation;
  if (token) return <SetPassword token={token} />;
  return sendsMail ? <AskByMail /> : <AskOperator />;
}

function SetPassword({ token }: { token: string }) {
  const { passwordMinLength } = useSession().installation;
  const [outcome, setOutcome] = useState<'done' | 'void'>();
  const form = useForm({
    initialValues: { password: '' },
    validate: { password: (value) => passwordProblem(value, passwordMinLength, undefined) },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    async ({ password }) => {
      try {
        await api('POST', '/v1/password/reset', { body: { token, password } });
      } catch (error) {
        if (error instanceof ApiProblem && error.code === 'link_invalid') setOutcome('void');
        throw error;
      }
    },
    () => setOutcome('done'),
  );
  if (outcome === 'void')
    return (
      <Card title="This link is used up" lead="It was used before, or is too old. Your password is as it was.">
        <PageLink to="/reset">Get another link</PageLink>
      </Card>
    );
  if (outcome === 'done')
    return (
      <Card title="Your new password is set" lead="All your sessions have ended; sign in with the new password.">
        <LinkButton to="/sign-in" fullWidth>
          Sign in
        </LinkButton>
      </Card>
    );
  return (
    <Card title="Set a new password" lead="Every session of yours ends with it, on all devices.">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="md">
          <NewPassword label="New password" person={undefined} autoFocus {...form.getInputProps('password')} />
          {problem}
          <Button type="submit" loading={busy} fullWidth>
            Set password
          </Button>
        </Stack>
      </form>
    </Card>
  );
}

function AskByMail() {
  const [sentTo, setSentTo] = useState<string>();
  const form = useForm({
    initialValues: { email: '' },
    validate: {
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'Type the e-mail address of your account.'),
    },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    ({ email }) => api('POST', '/v1/password/ask-reset', { body: { email: email.trim() } }),
    (_, { email }) => setSentTo(email.trim()),
  );
  if (sentTo)
    return (
      <Card title="Look into your mail">
        <Stack gap="md">
          <Text size="sm">
            If {sentTo} has an account here, a link to set a new password is on its way. It is good for an hour and
            works once. Nothing there after some minutes? Look into the spam folder, or ask an Owner whether your
            account has this address.
          </Text>
          <PageLink to="/sign-in" size="sm">
            Back to sign-in
          </PageLink>
        </Stack>
      </Card>
    );
  return (
    <Card title="Forgot password" lead="We mail you a link to set a new one.">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="md">
          <TextInput label="E-mail" type="email" autoComplete="username" autoFocus {...form.getInputProps('email')} />
          {problem}
          <Button type="submit" loading={busy} fullWidth>
            Send the link
          </Button>
          <PageLink to="/sign-in" size="sm">
            Back to sign-in
          </PageLink>
        </Stack>
      </form>
    </Card>
  );
}

function AskOperator() {
  return (
    <Card title="Forgot password">
      <Stack gap="md">
        <Text size="sm">
          This installation sends no mail, so the link to set a new password comes from whoever runs it. On its machine,
          this prints one:
        </Text>
        <CopyText value="trailproof users reset-password --email you@example.com" label="Copy the command" />
        <PageLink to="/sign-in" size="sm">
          Back to sign-in
        </PageLink>
      </Stack>
    </Card>
  );
}
