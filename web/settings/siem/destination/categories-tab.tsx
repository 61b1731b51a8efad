import { Button, Group, MultiSelect, Skeleton, Stack, Switch, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Static } from 'typebox';
import type { Destination } from '../../../../src/contract/destinations.ts';
import type { EventTypeList } from '../../../../src/contract/events.ts';
import { useTeam } from '../../../app/session.tsx';
import { ErrorState } from '../../../ui/error-state.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import { count } from '../../../ui/words.ts';
import { changedInWords, filterOfSwitches, type Switches, switchesOf } from '../../audit-logs/forwarding.ts';
import type { Category } from '../model.ts';
import { useRefresh } from '../queries.ts';
import { useCategories } from './queries.ts';

/** Which events this destination gets. */
export function CategoriesTab({ destination }: { destination: Destination }) {
  const categories = useCategories();
  const mayWrite = useTeam().can('destinations:write');
  if (categories.error) return <ErrorState error={categories.error} retry={() => void categories.refetch()} />;
  if (!categories.data)
    return (
      <Stack gap="md" aria-busy="true" role="status" aria-label="Loading categories">
        {[0, 1, 2, 3, 4].map((row) => (
          <Skeleton key={row} height={24} maw={420} />
        ))}
      </Stack>
    );
  return mayWrite ? (
    <Choice key={JSON.stringify(destination.filter)} destination={destination} categories={categories.data} />
  ) : (
    <Chosen filter={destination.filter} categories={categories.data} />
  );
}

function Choice({ destination, categories }: { destination: Destination; categories: readonly Category[] }) {
  const { id, name, filter } = destination;
  const team = useTeam();
  const refresh = useRefresh();
  const values = categories.map(({ value }) => value);
  const before = switchesOf(filter, values);
  const [switches, setSwitches] = useState<Switches>(before);
  const [types, setTypes] = useState<readonly string[]>(filter.eventTypes ?? []);
  const [narrowed, setNarrowed] = useState(filter.eventTypes !== null);
  const eventTypes = narrowed ? types : null;
  const isSame =
    changedInWords(before, switches, categories).length === 0 &&
    JSON.stringify(eventTypes) === JSON.stringify(filter.eventTypes);
  const save = useMutation({
    mutationFn: () =>
      team.api<Destination>('PATCH', `/v1/destinations/${id}`, {
        body: { filter: { ...filterOfSwitches(switches, values), eventTypes } },
      }),
    onSuccess: refresh,
  });
  const flip = (value: string, isOn: boolean): void => {
    const on = new Set(switches.on);
    if (isOn) on.add(value);
    else on.delete(value);
    setSwitches({ ...switches, on });
  };
  const forwarded = categories.reduce((sum, { value, count: n = 0 }) => sum + (switches.on.has(value) ? n : 0), 0);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isSame && !save.isPending) save.mutate();
  };

  return (
    <form onSubmit={submit} aria-label={`Categories forwarded to ${name}`}>
      <Stack gap="md" maw={560}>
        <Text size="sm" c="dimmed">
          What you change here holds for events from now on; those that wait already keep what held when they came.
        </Text>
        {categories.map(({ value, label, count: n = 0, builtIn }) => (
          <Switch
            key={value}
            checked={switches.on.has(value)}
            label={label}
            description={`${count(n, 'event')} in the last 24 hours${builtIn ? '' : ' · a category of your own'}`}
            onChange={({ currentTarget }) => flip(value, currentTarget.checked)}
          />
        ))}
        <Switch
          checked={switches.newCategories}
          label="Categories not seen before"
          description="Forwarded as soon as the first such event comes."
          onChange={({ currentTarget }) => setSwitches({ ...switches, newCategories: currentTarget.checked })}
        />
        <Switch
          checked={narrowed}
          label="Only certain event types"
          description="Of the categories above, nothing but these types."
          onChange={({ currentTarget }) => setNarrowed(currentTarget.checked)}
        />
        {narrowed && <EventTypes value={types} onChange={setTypes} />}
        {save.error && <FormProblem error={save.error} />}
        <Group gap="sm">
          <Button type="submit" loading={save.isPending} variant={isSame ? 'default' : 'filled'}>
            Save
          </Button>
          <Text size="sm" c="dimmed" role="status">
            {isSame
              ? save.isSuccess
                ? 'Saved. It holds from the next event on.'
                : 'Nothing is changed.'
              : `Of the last 24 hours’ events it would have got ${narrowed ? 'at most ' : ''}${count(forwarded)}.`}
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

/** What is forwarded, for those whose role only looks. */
function Chosen({ filter, categories }: { filter: Destination['filter']; categories: readonly Category[] }) {
  const { on, newCategories } = switchesOf(
    filter,
    categories.map(({ value }) => value),
  );
  const lines = [
    ...categories.map(({ value, label }) => ({ label, isOn: on.has(value) })),
    { label: 'Categories not seen before', isOn: newCategories },
  ];
  return (
    <Stack gap="xs">
      {lines.map(({ label, isOn }) => (
        <Text key={label} size="sm" {...(!isOn && { c: 'dimmed' })}>
          <span aria-hidden>{isOn ? '✓' : '–'}</span> {label}: {isOn ? 'forwarded' : 'not forwarded'}
        </Text>
      ))}
      {filter.eventTypes && <Text size="sm">Of these only: {filter.eventTypes.join(', ') || 'no event type'}.</Text>}
    </Stack>
  );
}

function EventTypes({ value, onChange }: { value: readonly string[]; onChange: (types: string[]) => void }) {
  const team = useTeam();
  const { data } = useQuery({
    queryKey: ['siem', team.id, 'event-types'],
    staleTime: 60_000,
    queryFn: ({ signal }) => team.api<Static<typeof EventTypeList>>('GET', '/v1/event-types', { signal }),
  });
  const known = data?.items.map(({ type }) => type) ?? [];
  return (
    <MultiSelect
      label="Event types"
      placeholder={value.length === 0 ? 'None yet: nothing would be forwarded' : ''}
      data={[...new Set([...known, ...value])]}
      value={[...value]}
      onChange={onChange}
      searchable
      clearable
      nothingFoundMessage="No such event type was seen"
    />
  );
}
