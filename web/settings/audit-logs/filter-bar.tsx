import { Button, Drawer, Stack } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { IconFilter } from '@tabler/icons-react';
import { ChoiceFilter } from './choice-filter.tsx';
import { conditionsIn, type Filter, NO_FILTER } from './filter.ts';
import classes from './filter-bar.module.css';
import { LIST_TITLES, STATUS_WORDS } from './filter-words.ts';
import { useCategories, useEventTypes } from './queries.ts';
import { RangeFilter } from './range-filter.tsx';
import { SearchText } from './search-text.tsx';
import { ValueFilter } from './value-filter.tsx';

interface Props {
  readonly filter: Filter;
  readonly onChange: (filter: Filter, options?: { readonly replace: boolean }) => void;
}

/** What is looked for: on a phone the words alone, the rest in a sheet. */
export function FilterBar({ filter, onChange }: Props) {
  const isNarrow = useMediaQuery('(max-width: 639px)', globalThis.innerWidth < 640);
  const [opened, { open, close }] = useDisclosure(false);
  const conditions = conditionsIn({ ...filter, q: '' });
  const search = <SearchText value={filter.q} onChange={(q, options) => onChange({ ...filter, q }, options)} />;
  if (!isNarrow)
    return (
      <search className={classes['bar']}>
        <Conditions filter={filter} onChange={onChange} />
        {search}
        {conditions + Number(filter.q !== '') > 0 && (
          <Button variant="subtle" color="gray" size="xs" onClick={() => onChange(NO_FILTER)}>
            Clear
          </Button>
        )}
      </search>
    );
  return (
    <search className={classes['bar']}>
      {search}
      <Button variant="default" size="xs" leftSection={<IconFilter size={14} aria-hidden />} onClick={open}>
        {conditions > 0 ? `Filters (${conditions})` : 'Filters'}
      </Button>
      <Drawer
        opened={opened}
        onClose={close}
        position="bottom"
        size={440}
        title="Filters"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack gap="xs" align="stretch">
          <Conditions filter={filter} onChange={onChange} />
          {conditions > 0 && (
            <Button variant="default" onClick={() => onChange({ ...NO_FILTER, q: filter.q })}>
              Clear
            </Button>
          )}
          <Button onClick={close}>Show the events</Button>
        </Stack>
      </Drawer>
    </search>
  );
}

const STATUSES = Object.entries(STATUS_WORDS).map(([value, label]) => ({ value, label }));

function Conditions({ filter, onChange }: Props) {
  const categories = useCategories().data ?? [];
  const types = useEventTypes().data ?? [];
  const label = (value: string | null) => categories.find((category) => category.value === value)?.label ?? 'Other';
  const set = (change: Partial<Filter>) => onChange({ ...filter, ...change });
  return (
    <>
      <RangeFilter range={filter.range} onChange={(range) => set({ range })} />
      <ChoiceFilter
        title={LIST_TITLES.category}
        choices={categories}
        chosen={filter.category}
        onChange={(category) => set({ category })}
      />
      <ChoiceFilter
        title={LIST_TITLES.eventType}
        choices={types.map(({ type, title, category, aliases }) => ({
          value: type,
          label: title ?? type,
          hint: title === null ? undefined : type,
          group: label(category),
          also: aliases.join(' '),
        }))}
        chosen={filter.eventType}
        onChange={(eventType) => set({ eventType })}
        searchable
      />
      <ChoiceFilter
        title={LIST_TITLES.status}
        choices={STATUSES}
        chosen={filter.status}
        onChange={(status) => set({ status })}
      />
      <ValueFilter
        title={LIST_TITLES.actor}
        hint="Exact e-mail, name or id"
        chosen={filter.actor}
        onChange={(actor) => set({ actor })}
      />
      <ValueFilter
        title={LIST_TITLES.target}
        hint="Exact name, e-mail or id of what was acted on"
        chosen={filter.target}
        onChange={(target) => set({ target })}
      />
      <ValueFilter
        title={LIST_TITLES.ip}
        hint="An address, or a network such as 10.0.0.0/8"
        chosen={filter.ip}
        onChange={(ip) => set({ ip })}
      />
    </>
  );
}
