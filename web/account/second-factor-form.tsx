import { Anchor, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { auth } from '../api/auth.ts';
import { ApiProblem } from '../api/problem.ts';
import { CodeInput } from '../ui/code-input.tsx';
import { useSubmission } from '../ui/form.tsx';

/** The second step of signing in: the code of the app, or one of the backup codes. */
export function SecondFactorForm({ done, restart }: { done: () => Promise<void>; restart: () => void }) {
  const [usesBackup, setUsesBackup] = useState(false);
  const form = useForm({
    initialValues: { code: '' },
    validate: { code: (code) => (code.trim() ? null : 'Type the code.') },
  });
  const { onSubmit, busy, problem, reset } = useSubmission(
    form,
    async ({ code }) => {
      try {
        await (usesBackup
          ? auth('two-factor/verify-backup-code', { code: code.trim() })
          : auth('two-factor/verify-totp', { code }));
      } catch (error) {
        if (!usesBackup) form.setFieldValue('code', '');
        if (error instanceof ApiProblem && error.code === 'second_factor_expired') setIsOver(true);
        throw error;
      }
    },
    done,
  );
  const [isOver, setIsOver] = useState(false);
  const change = () => {
    setUsesBackup(!usesBackup);
    form.setValues({ code: '' });
    form.clearErrors();
    reset();
  };

  if (isOver)
    return (
      <Stack gap="md">
        {problem}
        <Button onClick={restart} autoFocus fullWidth>
          Start again
        </Button>
      </Stack>
    );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {usesBackup
            ? 'Type one of the backup codes you kept when you set up the second factor. Each works once.'
            : 'Your password is right. Now the six digits your authenticator app shows for Trailproof.'}
        </Text>
        {usesBackup ? (
          <TextInput
            key="backup"
            label="Backup code"
            autoComplete="off"
            autoFocus
            spellCheck={false}
            {...form.getInputProps('code')}
          />
        ) : (
          <CodeInput key="code" label="Code" autoFocus {...form.getInputProps('code')} onComplete={onSubmit} />
        )}
        {problem}
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
        <Group justify="space-between" gap="xs">
          <Anchor component="button" type="button" size="sm" onClick={change}>
            {usesBackup ? 'Use the app instead' : 'Use a backup code instead'}
          </Anchor>
          <Anchor component="button" type="button" size="sm" onClick={restart}>
            Back
          </Anchor>
        </Group>
      </Stack>
    </form>
  );
}
