import { Input, Stack, Text, TextInput } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { auth } from '../../api/auth.ts';
import { sessionQuery, useSession } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { SaveRow, useSaved } from '../../ui/saved.tsx';
import { Section } from '../../ui/section.tsx';

export function NameForm() {
  const user = useSession().user!;
  const queryClient = useQueryClient();
  const [saved, noteSaved] = useSaved();
  const form = useForm({
    initialValues: { name: user.name },
    validate: { name: isNotEmpty('Type your name.') },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    ({ name }) => auth('update-user', { name: name.trim() }),
    async () => {
      await queryClient.invalidateQueries(sessionQuery);
      form.resetDirty();
      noteSaved();
    },
  );
  return (
    <Section title="Profile" lead="What the audit log and the members’ list call you.">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="md">
          <Input.Wrapper labelElement="div" label="E-mail" description="You sign in with it; it stays as it is.">
            <Text size="sm" mt={6} style={{ overflowWrap: 'anywhere' }}>
              {user.email}
            </Text>
          </Input.Wrapper>
          <TextInput label="Name" autoComplete="name" maxLength={128} {...form.getInputProps('name')} />
          {problem}
          <SaveRow action="Save name" busy={busy} saved={saved} />
        </Stack>
      </form>
    </Section>
  );
}
