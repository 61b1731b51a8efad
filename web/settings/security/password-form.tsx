import { PasswordInput, Stack } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { NewPassword, passwordProblem } from '../../account/new-password.tsx';
import { auth } from '../../api/auth.ts';
import { useSession } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { SaveRow, useSaved } from '../../ui/saved.tsx';
import { Section } from '../../ui/section.tsx';
import { SESSIONS_KEY } from './queries.ts';

export function PasswordForm() {
  const session = useSession();
  const user = session.user!;
  const queryClient = useQueryClient();
  const [saved, noteSaved] = useSaved();
  const form = useForm({
    initialValues: { currentPassword: '', newPassword: '' },
    validate: {
      currentPassword: isNotEmpty('Type the password you have now.'),
      newPassword: (value) => passwordProblem(value, session.installation.passwordMinLength, user),
    },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    (values) => auth('change-password', values),
    () => {
      form.reset();
      noteSaved();
      return queryClient.invalidateQueries({ queryKey: SESSIONS_KEY });
    },
  );
  return (
    <Section title="Password" lead="A new password ends your sessions everywhere else.">
      <form onSubmit={onSubmit} noValidate>
        {/* Tells password managers whose password it is. */}
        <input type="email" autoComplete="username" value={user.email} readOnly hidden />
        <Stack gap="md">
          <PasswordInput
            label="Present password"
            autoComplete="current-password"
            visibilityToggleButtonProps={{ 'aria-label': 'Show the present password' }}
            {...form.getInputProps('currentPassword')}
          />
          <NewPassword label="New password" person={user} {...form.getInputProps('newPassword')} />
          {problem}
          <SaveRow action="Change password" busy={busy} saved={saved} words="Changed; other sessions have ended" />
        </Stack>
      </form>
    </Section>
  );
}
