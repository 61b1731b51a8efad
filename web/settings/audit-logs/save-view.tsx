import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useTeam } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';
import type { Filter } from './filter.ts';
import { filterInWords } from './filter-words.ts';
import { useWords } from './queries.ts';

interface Props {
  readonly filter: Filter;
  /** The filter as it stands in the address. */
  readonly query: string;
  readonly onSaved: () => unknown;
  readonly onClose: () => void;
}

/** Keeps a filter by a name. */
export function SaveView({ opened, ...props }: Props & { readonly opened: boolean }) {
  return (
    <Modal opened={opened} onClose={props.onClose} title="Save this view" closeButtonProps={{ 'aria-label': 'Close' }}>
      <NameView {...props} />
    </Modal>
  );
}

function NameView({ filter, query, onSaved, onClose }: Props) {
  const team = useTeam();
  const words = useWords();
  const form = useForm({
    initialValues: { name: '' },
    validate: { name: (name) => (name.trim() === '' ? 'A view needs a name.' : null) },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    ({ name }) => team.api('POST', '/v1/saved-filters', { body: { name: name.trim(), query } }),
    () => {
      onClose();
      onSaved();
    },
  );
  return (
    <form onSubmit={onSubmit}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {filterInWords(filter, words)}
        </Text>
        <TextInput label="Name" maxLength={128} data-autofocus {...form.getInputProps('name')} />
        {problem}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Save view
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
