import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useSession } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';

/** Asks for the password before something about the account is shown or changed. */
export function PasswordStep({
  says,
  action,
  run,
  color = 'indigo',
}: {
  says: string;
  action: string;
  run: (password: string) => Promise<void>;
  color?: string;
}) {
  const { email } = useSession().user!;
  const form = useForm({ initialValues: { password: '' }, validate: { password: isNotEmpty('Type your password.') } });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    ({ password }) => run(password),
    () => undefined,
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <input type="email" autoComplete="username" value={email} readOnly hidden />
      <Stack gap="md">
        <Text size="sm">{says}</Text>
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          data-autofocus
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          {...form.getInputProps('password')}
        />
        {problem}
        <Group justify="flex-end">
          <Button type="submit" color={color} loading={busy}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
