import { Button, Group, Switch, Table, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Destination } from '../../../src/contract/destinations.ts';
import { useTeam } from '../../app/session.tsx';
import { FormProblem } from '../../ui/form.tsx';
import { count } from '../../ui/words.ts';
import { changedInWords, filterOfSwitches, type Switches, switchesOf } from './forwarding.ts';
import classes from './forwarding-form.module.css';
import type { Category } from './queries.ts';

/** A switch for each category and destination; nothing changes before Save. */
export function ForwardingForm(props: {
  all: readonly Destination[];
  /** On a narrow page one at a time. */
  shown: readonly Destination[];
  categories: readonly Category[];
}) {
  const { all, shown, categories } = props;
  const team = useTeam();
  const queryClient = useQueryClient();
  const mayChange = team.can('destinations:write');
  const values = categories.map(({ value }) => value);
  const [edits, setEdits] = useState<ReadonlyMap<string, Switches>>(new Map());
  const before = ({ filter }: Destination) => switchesOf(filter, values);
  const now = (destination: Destination) => edits.get(destination.id) ?? before(destination);
  const edit = ({ id }: Destination, switches: Switches) => setEdits((was) => new Map(was).set(id, switches));
  const changes = all
    .map((destination) => ({
      destination,
      words: changedInWords(before(destination), now(destination), categories),
    }))
    .filter(({ words }) => words.length > 0);

  const { mutate, isPending, error, isSuccess, reset } = useMutation({
    mutationFn: async () => {
      for (const { destination } of changes)
        await team.api('PATCH', `/v1/destinations/${destination.id}`, {
          body: { filter: filterOfSwitches(now(destination), values) },
        });
    },
    // Also when one of several was refused: what is shown is then what holds.
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['siem', team.id] }),
    onSuccess: () => setEdits(new Map()),
  });
  const toggle = (destination: Destination, category: string) => {
    reset();
    const { on, newCategories } = now(destination);
    const next = new Set(on);
    if (!next.delete(category)) next.add(category);
    edit(destination, { on: next, newCategories });
  };

  return (
    <>
      <Table className={classes['table']!} verticalSpacing={8} aria-label="Categories by destination">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Category</Table.Th>
            <Table.Th scope="col" className={classes['number']!}>
              Events in 24 h
            </Table.Th>
            {shown.map(({ id, name }) => (
              <Table.Th scope="col" key={id} className={classes['destination']!}>
                {shown.length < all.length ? 'Sent' : name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {categories.map(({ value, label, count: n }) => (
            <Table.Tr key={value}>
              <Table.Th scope="row" fw={500}>
                {label}
              </Table.Th>
              <Table.Td className={classes['number']!}>{n === undefined ? '–' : count(n)}</Table.Td>
              {shown.map((destination) => (
                <Table.Td key={destination.id}>
                  <Switch
                    aria-label={`${label} to ${destination.name}`}
                    checked={now(destination).on.has(value)}
                    disabled={!mayChange}
                    onChange={() => toggle(destination, value)}
                  />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
          <Table.Tr>
            <Table.Th scope="row" fw={500}>
              Categories not seen before
            </Table.Th>
            <Table.Td className={classes['number']!}>–</Table.Td>
            {shown.map((destination) => (
              <Table.Td key={destination.id}>
                <Switch
                  aria-label={`Categories not seen before to ${destination.name}`}
                  checked={now(destination).newCategories}
                  disabled={!mayChange}
                  onChange={(event) => {
                    reset();
                    edit(destination, { on: now(destination).on, newCategories: event.currentTarget.checked });
                  }}
                />
              </Table.Td>
            ))}
          </Table.Tr>
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr className={classes['total']!}>
            <Table.Th scope="row">Would have sent</Table.Th>
            <Table.Td className={classes['number']!}>{count(sent(categories, new Set(values)))}</Table.Td>
            {shown.map((destination) => (
              <Table.Td key={destination.id}>
                <b>{count(sent(categories, now(destination).on))}</b>
                {destination.filter.eventTypes && (
                  <Text size="xs" c="dimmed">
                    at most: only {count(destination.filter.eventTypes.length, 'event type')}
                  </Text>
                )}
              </Table.Td>
            ))}
          </Table.Tr>
        </Table.Tfoot>
      </Table>
      {error && <FormProblem error={error} />}
      {mayChange && (
        <Group justify="space-between" className={classes['save']!}>
          <div role="status">
            {changes.map(({ destination, words }) => (
              <Text size="sm" key={destination.id}>
                <b>{destination.name}</b> {words.join('; ')}.
              </Text>
            ))}
            {changes.length === 0 && (
              <Text size="sm" c="dimmed">
                {isSuccess ? '✓ Saved: it holds from the next event on.' : 'Nothing is changed.'}
              </Text>
            )}
          </div>
          {changes.length > 0 && (
            <Group gap="xs">
              <Button variant="default" onClick={() => setEdits(new Map())}>
                Undo
              </Button>
              <Button loading={isPending} onClick={() => mutate()}>
                Save
              </Button>
            </Group>
          )}
        </Group>
      )}
    </>
  );
}

function sent(categories: readonly Category[], on: ReadonlySet<string>): number {
  return categories.reduce((sum, { value, count: n = 0 }) => (on.has(value) ? sum + n : sum), 0);
}
