import { Button, Divider, Popover, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { IconCalendar } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { isUsual, RANGES, type Range, timesOf } from './filter.ts';
import { FilterButton } from './filter-button.tsx';
import { rangeInWords } from './filter-words.ts';

/** From when to when: as of now, or between two moments (UTC). */
export function RangeFilter({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const [opened, setOpened] = useState(false);
  const choose = (next: Range) => {
    setOpened(false);
    onChange(next);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={280} trapFocus returnFocus>
      <Popover.Target>
        <FilterButton
          isChosen={!isUsual(range)}
          leftSection={<IconCalendar size={13} aria-hidden />}
          onClick={() => setOpened((was) => !was)}
        >
          {rangeInWords(range)}
        </FilterButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="Time">
        <SimpleGrid cols={2} spacing={4} verticalSpacing={2}>
          {[...RANGES.map((last): Range => ({ last })), {}].map((preset) => (
            <Button
              key={rangeInWords(preset)}
              size="compact-sm"
              justify="start"
              fw={400}
              variant={rangeInWords(preset) === rangeInWords(range) ? 'light' : 'subtle'}
              aria-pressed={rangeInWords(preset) === rangeInWords(range)}
              onClick={() => choose(preset)}
            >
              {rangeInWords(preset)}
            </Button>
          ))}
        </SimpleGrid>
        <Divider my="sm" />
        <Between key={`${opened}`} range={range} onChange={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Between({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const times = timesOf(range, Date.now());
  const [from, setFrom] = useState(fieldOf(times.from));
  const [to, setTo] = useState(fieldOf(times.to));
  const isBackwards = from !== '' && to !== '' && from >= to;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isBackwards) return;
    onChange({ ...(from && { from: timeOf(from) }), ...(to && { to: timeOf(to) }) });
  };
  return (
    <Stack gap="xs" component="form" onSubmit={submit}>
      <Text size="xs" c="dimmed">
        Between, in UTC; an empty end is open
      </Text>
      <TextInput
        size="xs"
        type="datetime-local"
        step={1}
        label="From"
        value={from}
        onChange={(e) => setFrom(e.currentTarget.value)}
      />
      <TextInput
        size="xs"
        type="datetime-local"
        step={1}
        label="Before"
        value={to}
        onChange={(e) => setTo(e.currentTarget.value)}
        error={isBackwards ? 'This is not after the start.' : undefined}
      />
      <Button size="xs" type="submit">
        Show this time
      </Button>
    </Stack>
  );
}

/** The form of a field: no zone, which is UTC here. */
function fieldOf(time: string | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString().slice(0, 19);
}
function timeOf(field: string): string {
  return new Date(`${field}Z`).toISOString();
}
