import { Button, Pill, Popover, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { FilterButton } from './filter-button.tsx';
import { conditionInWords } from './filter-words.ts';

/** One or several values that are typed: they are too many to choose from. */
export function ValueFilter(props: {
  title: string;
  hint: string;
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}) {
  const { title, hint, chosen, onChange } = props;
  const [opened, setOpened] = useState(false);
  const [text, setText] = useState('');
  const add = (event: FormEvent) => {
    event.preventDefault();
    const value = text.trim();
    setText('');
    if (value !== '' && !chosen.includes(value)) onChange([...chosen, value]);
    setOpened(false);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={280} trapFocus returnFocus>
      <Popover.Target>
        <FilterButton isChosen={chosen.length > 0} onClick={() => setOpened((was) => !was)}>
          {conditionInWords(title, chosen)}
        </FilterButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={title}>
        <Stack gap="xs" component="form" onSubmit={add}>
          <TextInput
            size="xs"
            label={title}
            description={hint}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            data-autofocus
          />
          {chosen.length > 0 && (
            <Pill.Group>
              {chosen.map((value) => (
                <Pill
                  key={value}
                  withRemoveButton
                  onRemove={() => onChange(chosen.filter((one) => one !== value))}
                  removeButtonProps={{ 'aria-label': `Remove ${value}`, tabIndex: 0, 'aria-hidden': false }}
                >
                  {value}
                </Pill>
              ))}
            </Pill.Group>
          )}
          <Button size="xs" type="submit">
            {text.trim() === '' ? 'Done' : 'Add'}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
