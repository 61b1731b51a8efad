import { Button, CheckIcon, Combobox, Group, Text, useCombobox } from '@mantine/core';
import { useState } from 'react';
import { FilterButton } from './filter-button.tsx';
import { conditionInWords } from './filter-words.ts';

interface Choice {
  readonly value: string;
  readonly label: string;
  /** Shown beside: the wire value. */
  readonly hint?: string | undefined;
  readonly group?: string;
  /** Other words by which it is found. */
  readonly also?: string;
}

/** One or several of what there is. */
export function ChoiceFilter(props: {
  title: string;
  choices: readonly Choice[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
  searchable?: boolean;
}) {
  const { title, choices, chosen, onChange, searchable = false } = props;
  const [search, setSearch] = useState('');
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setSearch('');
    },
    onDropdownOpen: () => searchable && combobox.focusSearchInput(),
  });
  // What is looked for stays a choice, though the team has no such event (yet).
  const all = [
    ...choices,
    ...chosen
      .filter((value) => !choices.some((choice) => choice.value === value))
      .map((value) => ({ value, label: value })),
  ];
  const found = all.filter(({ value, label, also = '' }: Choice) =>
    `${label} ${value} ${also}`.toLowerCase().includes(search.trim().toLowerCase()),
  );
  const groups = [...new Set(found.map(({ group }: Choice) => group))];
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  const labels = chosen.map((value) => all.find((choice) => choice.value === value)?.label ?? value);
  const options = (group: string | undefined) =>
    found
      .filter((choice: Choice) => choice.group === group)
      .map(({ value, label, hint }: Choice) => (
        <Combobox.Option
          key={value}
          value={value}
          active={chosen.includes(value)}
          aria-selected={chosen.includes(value)}
        >
          <Group gap={8} wrap="nowrap">
            <CheckIcon size={11} style={{ visibility: chosen.includes(value) ? 'visible' : 'hidden' }} aria-hidden />
            <div>
              <Text size="sm">{label}</Text>
              {hint && (
                <Text size="xs" c="dimmed" ff="monospace">
                  {hint}
                </Text>
              )}
            </div>
          </Group>
        </Combobox.Option>
      ));

  return (
    <Combobox
      store={combobox}
      onOptionSubmit={toggle}
      width={searchable ? 300 : 220}
      position="bottom-start"
      withinPortal={false}
      // Over the head of the sheet too, in which the filters are on a phone.
      zIndex={1001}
    >
      <Combobox.Target targetType="button" withAriaAttributes={!searchable}>
        <FilterButton
          isChosen={chosen.length > 0}
          onClick={() => combobox.toggleDropdown()}
          aria-expanded={combobox.dropdownOpened}
          aria-haspopup="listbox"
        >
          {conditionInWords(title, labels)}
        </FilterButton>
      </Combobox.Target>
      <Combobox.Dropdown>
        {searchable && (
          <Combobox.Search
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value);
              combobox.updateSelectedOptionIndex();
            }}
            placeholder="Search"
            role="combobox"
            aria-expanded
            aria-label={`Search ${title.toLowerCase()}`}
          />
        )}
        <Combobox.Options mah={320} style={{ overflowY: 'auto' }} aria-label={title} aria-multiselectable>
          {found.length === 0 && <Combobox.Empty>Nothing of that name</Combobox.Empty>}
          {groups.map((group) =>
            group === undefined ? (
              options(group)
            ) : (
              <Combobox.Group key={group} label={group}>
                {options(group)}
              </Combobox.Group>
            ),
          )}
        </Combobox.Options>
        {chosen.length > 0 && (
          <Combobox.Footer>
            <Button variant="subtle" color="gray" size="compact-xs" onClick={() => onChange([])}>
              Any
            </Button>
          </Combobox.Footer>
        )}
      </Combobox.Dropdown>
    </Combobox>
  );
}
