import '@mantine/spotlight/styles.css';
import { useMantineColorScheme } from '@mantine/core';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import type { PAGES, SANDBOX } from './navigation.ts';
import { useSession } from './session.tsx';

const [store, palette] = createSpotlight();
export const openPalette = (): void => palette.open();

/** Ctrl K: every page, every team, the colours. */
export function CommandPalette({ pages }: { pages: readonly ((typeof PAGES)[number] | typeof SANDBOX)[] }) {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const { teams } = useSession();
  return (
    <Spotlight
      store={store}
      shortcut={['mod + K', '/']}
      searchProps={{ placeholder: 'Go to …', 'aria-label': 'Go to' }}
      nothingFound="Nothing of that name"
      actions={[
        {
          group: 'Pages',
          actions: pages.map(({ to, title }) => ({ id: to, label: title, onClick: () => void navigate({ to }) })),
        },
        {
          group: 'Teams',
          actions: teams.map(({ id, name }) => ({
            id: `team ${id}`,
            label: name,
            onClick: () => void navigate({ to: '/settings/audit-logs', search: { team: id } }),
          })),
        },
        {
          group: 'Colours',
          actions: (['light', 'dark', 'auto'] as const).map((scheme) => ({
            id: scheme,
            label: scheme === 'auto' ? 'As the system' : `${scheme[0]!.toUpperCase()}${scheme.slice(1)}`,
            onClick: () => setColorScheme(scheme),
          })),
        },
      ]}
    />
  );
}
