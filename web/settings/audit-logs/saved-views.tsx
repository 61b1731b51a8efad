import { Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import type { SavedFilter } from '../../../src/contract/session.ts';
import { parseSearch, stringifySearch } from '../../app/search.ts';
import { useTeam } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { type Filter, filterOf, searchOf } from './filter.ts';
import { filterInWords } from './filter-words.ts';
import { useSavedViews, useWords } from './queries.ts';

/** Filters kept by name, for oneself. */
export function SavedViews({ filter, onOpen }: { filter: Filter; onOpen: (filter: Filter) => void }) {
  const team = useTeam();
  const queryClient = useQueryClient();
  const { data: views = [], error } = useSavedViews();
  const [saving, { open, close }] = useDisclosure(false);
  const query = stringifySearch(searchOf(filter)).slice(1);
  const current = views.find((view) => view.query === query);
  const changed = () => queryClient.invalidateQueries({ queryKey: ['saved-filters', team.id] });
  const remove = async ({ id }: SavedFilter) => {
    await team.api('DELETE', `/v1/saved-filters/${id}`);
    await changed();
  };
  if (!team.can('own:settings')) return null;
  return (
    <>
      <Menu position="bottom-end" width={300} closeOnItemClick={false} withinPortal={false}>
        <Menu.Target>
          <Button variant="default" size="xs">
            {current?.name ?? 'Views'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item closeMenuOnClick onClick={open}>
            Save this view …
          </Menu.Item>
          <Menu.Divider />
          {error && <Menu.Label>{error.message}</Menu.Label>}
          {!error && views.length === 0 && <Menu.Label>A saved view opens its filter again, from anywhere.</Menu.Label>}
          {views.map((view) => (
            <Group key={view.id} gap={4} wrap="nowrap">
              <Menu.Item
                closeMenuOnClick
                aria-current={view.query === query}
                onClick={() => onOpen(filterOf(parseSearch(view.query)))}
              >
                {view.name}
              </Menu.Item>
              <Menu.Item w="auto" aria-label={`Delete the view ${view.name}`} onClick={() => void remove(view)}>
                <IconTrash size={14} aria-hidden />
              </Menu.Item>
            </Group>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={saving} onClose={close} title="Save this view" closeButtonProps={{ 'aria-label': 'Close' }}>
        <NameView
          filter={filter}
          save={(name) => team.api('POST', '/v1/saved-filters', { body: { name, query } })}
          onSaved={() => {
            close();
            void changed();
          }}
        />
      </Modal>
    </>
  );
}

function NameView(props: { filter: Filter; save: (name: string) => Promise<unknown>; onSaved: () => void }) {
  const { filter, save, onSaved } = props;
  const words = useWords();
  const form = useForm({
    initialValues: { name: '' },
    validate: { name: (name) => (name.trim() === '' ? 'A view needs a name.' : null) },
  });
  const { onSubmit, busy, problem } = useSubmission(form, ({ name }) => save(name.trim()), onSaved);
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
