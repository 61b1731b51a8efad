import { Drawer, NativeSelect, Skeleton, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useState } from 'react';
import type { Destination } from '../../../src/contract/destinations.ts';
import { useTeam } from '../../app/session.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { LinkButton } from '../../ui/link.tsx';
import { ROLE_NAMES } from '../../ui/words.ts';
import { ForwardingForm } from './forwarding-form.tsx';
import { type Category, useCategories, useDestinations } from './queries.ts';

const DAY_MS = 86_400_000;

/** SIEM Integration: which categories are forwarded where, and how much that is. */
export function ForwardingPanel({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size={860}
      title="SIEM Integration"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Content />
    </Drawer>
  );
}

function Content() {
  const [since] = useState(() => new Date(Date.now() - DAY_MS).toISOString());
  const destinations = useDestinations();
  const categories = useCategories({ since });
  const error = destinations.error ?? categories.error;
  if (error)
    return (
      <ErrorState
        error={error}
        retry={() => {
          void destinations.refetch();
          void categories.refetch();
        }}
      />
    );
  if (!destinations.data || !categories.data) return <Skeleton height={280} aria-label="Loading" />;
  if (destinations.data.length === 0)
    return (
      <EmptyState title="No SIEM is connected yet" action={<LinkButton to="/settings/siem">Connect a SIEM</LinkButton>}>
        Once one is, choose here which categories of events it gets.
      </EmptyState>
    );
  return <Loaded destinations={destinations.data} categories={categories.data} />;
}

function Loaded(props: { destinations: readonly Destination[]; categories: readonly Category[] }) {
  const { destinations, categories } = props;
  const team = useTeam();
  const isNarrow = useMediaQuery('(max-width: 639px)', globalThis.innerWidth < 640);
  const [chosen, setChosen] = useState(destinations[0]!.id);
  const shown = isNarrow ? destinations.filter(({ id }) => id === chosen) : destinations;
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        Which categories each SIEM gets. Counts are of the last 24 hours. A change holds from the next event on.
        {!team.can('destinations:write') &&
          ` As ${ROLE_NAMES[team.role]} you can see this; Owners and Admins change it.`}
      </Text>
      {isNarrow && destinations.length > 1 && (
        <NativeSelect
          label="Destination"
          value={chosen}
          onChange={(event) => setChosen(event.currentTarget.value)}
          data={destinations.map(({ id, name }) => ({ value: id, label: name }))}
        />
      )}
      <ForwardingForm all={destinations} shown={shown} categories={categories} />
    </Stack>
  );
}
