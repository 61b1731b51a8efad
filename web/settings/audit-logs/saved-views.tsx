import { Button, Group, Menu } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { parseSearch, stringifySearch } from '../../app/search.ts';
import { useTeam } from '../../app/session.tsx';
import { lazyDialog } from '../../ui/lazy-dialog.tsx';
import { type Filter, filterOf, searchOf } from './filter.ts';
import { useSavedViews } from './queries.ts';

const SaveView = lazyDialog(async () => (await import('./save-view.tsx')).SaveView);

/** Filters kept by name, for oneself. */
export function SavedViews({ filter, onOpen }: { filter: Filter; onOpen: (filter: Filter) => void }) {
  const team = useTeam();
  const queryClient = useQueryClient();
  const { data: views = [], error } = useSavedViews();
  const [saving, { open, close }] = useDisclosure(false);
  const query = stringifySearch(searchOf(filter)).slice(1);
  const current = views.find((view) => view.query === query);
  const changed = () => queryClient.invalidateQueries({ queryKey: ['saved-filters', team.id] });
  const remove = useMutation({
    mutationFn: (id: string) => team.api('DELETE', `/v1/saved-filters/${id}`),
    onSuccess: changed,
  });
  const problem = error ?? remove.error;
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
          {problem && <Menu.Label>{problem.message}</Menu.Label>}
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
              <Menu.Item w="auto" aria-label={`Delete the view ${view.name}`} onClick={() => remove.mutate(view.id)}>
                <IconTrash size={14} aria-hidden />
              </Menu.Item>
            </Group>
          ))}
        </Menu.Dropdown>
      </Menu>
      <SaveView opened={saving} filter={filter} query={query} onSaved={changed} onClose={close} />
    </>
  );
}
