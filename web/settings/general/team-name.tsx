import { Input, Stack, TextInput } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import type { TeamSettings } from '../../../src/contract/administration.ts';
import { useTeam } from '../../app/session.tsx';
import { CopyText } from '../../ui/copy-text.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { SaveRow, useSaved } from '../../ui/saved.tsx';
import { Section } from '../../ui/section.tsx';
import { useChangeTeam } from './queries.ts';

export function TeamName({ settings }: { settings: TeamSettings }) {
  const isReadOnly = !useTeam().can('team:admin');
  const change = useChangeTeam();
  const [saved, noteSaved] = useSaved();
  const form = useForm({
    initialValues: { name: settings.name },
    validate: { name: isNotEmpty('A team has a name.') },
  });
  const { onSubmit, busy, problem } = useSubmission(form, ({ name }) => change({ name: name.trim() }), noteSaved);
  return (
    <Section title="Team" lead="Its name is for people. Its id is for programs, and stays as it is.">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="md">
          <TextInput
            label="Name"
            autoComplete="off"
            maxLength={128}
            readOnly={isReadOnly}
            variant={isReadOnly ? 'unstyled' : 'default'}
            {...form.getInputProps('name')}
          />
          <Input.Wrapper
            labelElement="div"
            label="Id"
            description="Producers send it as context.teamId; a key of this team needs none."
            inputWrapperOrder={['label', 'input', 'description']}
          >
            <div>
              <CopyText value={settings.id} label="Copy the id" />
            </div>
          </Input.Wrapper>
          {problem}
          {!isReadOnly && <SaveRow action="Save name" busy={busy} saved={saved} />}
        </Stack>
      </form>
    </Section>
  );
}
