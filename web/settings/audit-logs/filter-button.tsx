import { Button, type ButtonProps } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { ComponentProps } from 'react';
import classes from './filter-bar.module.css';

/** What opens a filter and says what it holds; one that narrows the list stands out. */
export function FilterButton(props: ButtonProps & ComponentProps<'button'> & { isChosen: boolean }) {
  // What it opens hands it a class too.
  const { isChosen, className = '', ...rest } = props;
  return (
    <Button
      variant="default"
      size="xs"
      justify="space-between"
      fw={isChosen ? 600 : 400}
      className={isChosen ? `${classes['chosen']} ${className}` : className}
      rightSection={<IconChevronDown size={13} aria-hidden />}
      {...rest}
    />
  );
}
