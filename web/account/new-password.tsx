import { Group, PasswordInput, type PasswordInputProps, Stack, Text } from '@mantine/core';
import { IconCircle, IconCircleCheck } from '@tabler/icons-react';
import { useId } from 'react';
import { useSession } from '../app/session.tsx';

/** Whose password it is: it must not hold their name or the part of their e-mail before the @. */
export interface Person {
  readonly email: string;
  readonly name: string;
}

/**
 * A new password, with what it has to be, ticked off while it is typed. The service knows more, such as which are
 * common, and says so beside the field.
 */
export function NewPassword({
  value = '',
  person,
  label = 'Password',
  ...props
}: PasswordInputProps & { value?: string; person: Person | undefined }) {
  const { passwordMinLength } = useSession().installation;
  const hints = useId();
  return (
    <Stack gap={6}>
      <PasswordInput
        {...props}
        label={label}
        value={value}
        autoComplete="new-password"
        aria-describedby={hints}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
      />
      <Stack gap={2} id={hints}>
        <Hint met={value.length >= passwordMinLength}>
          {`${passwordMinLength} characters or more; a few unrelated words work well`}
        </Hint>
        <Hint met={value !== '' && !holdsPerson(value, person)}>No name or e-mail in it</Hint>
      </Stack>
    </Stack>
  );
}

/** For `validate` of a form: why the password will be refused; null: nothing is known against it. */
export function passwordProblem(password: string, minLength: number, person: Person | undefined): string | null {
  if (password.length < minLength) return `Use ${minLength} characters or more.`;
  return holdsPerson(password, person) ? 'Leave your name and e-mail address out of it.' : null;
}

function Hint({ met, children }: { met: boolean; children: string }) {
  const Icon = met ? IconCircleCheck : IconCircle;
  return (
    <Group gap={6} wrap="nowrap">
      <Icon
        size={14}
        color={met ? 'var(--trail-success)' : 'var(--trail-quiet)'}
        {...(met ? { 'aria-label': 'Met:' } : { 'aria-hidden': true })}
      />
      <Text size="xs" c="dimmed">
        {children}
      </Text>
    </Group>
  );
}

function holdsPerson(password: string, person: Person | undefined): boolean {
  if (!person) return false;
  const words = [person.email.split('@')[0]!, ...person.name.split(/[^\p{L}\p{N}]+/u)].map(plainOf);
  return words.some((word) => word.length >= 4 && plainOf(password).includes(word));
}

/** José is jose. */
function plainOf(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
