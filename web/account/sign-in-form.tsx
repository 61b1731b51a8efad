import { Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useState } from 'react';
import type { SignInAnswer } from '../../src/contract/account.ts';
import { auth } from '../api/auth.ts';
import { useSubmission } from '../ui/form.tsx';
import { PageLink } from '../ui/link.tsx';
import { SecondFactorForm } from './second-factor-form.tsx';

/** E-mail and password, then the second factor where there is one. With `email`, only as that person. */
export function SignInForm({ email, done }: { email?: string; done: () => Promise<void> }) {
  const [needsCode, setNeedsCode] = useState(false);
  const form = useForm({
    initialValues: { email: email ?? '', password: '' },
    validate: {
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : 'Type the e-mail address of your account.'),
      password: isNotEmpty('Type your password.'),
    },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    (values) => auth<SignInAnswer>('sign-in/email', { ...values, email: values.email.trim() }),
    async ({ twoFactorRedirect }) => {
      if (!twoFactorRedirect) return done();
      form.setFieldValue('password', '');
      setNeedsCode(true);
    },
  );
  if (needsCode) return <SecondFactorForm done={done} restart={() => setNeedsCode(false)} />;
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          autoFocus={email === undefined}
          readOnly={email !== undefined}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          autoFocus={email !== undefined}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          {...form.getInputProps('password')}
        />
        {problem}
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
        <PageLink to="/reset" size="sm">
          Forgot password
        </PageLink>
      </Stack>
    </form>
  );
}
