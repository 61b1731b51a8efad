import { Text, Title, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowRight } from '@tabler/icons-react';
import { useState } from 'react';
import type { Kind } from '../model.ts';
import classes from './guide.module.css';
import type { SettingsForm } from './use-settings-form.ts';

/** How to get each value, step by step; the step of the field in focus is lit. Folded on a phone. */
export function Guide({ kind, form }: { kind: Kind; form: SettingsForm }) {
  const isNarrow = useMediaQuery('(max-width: 62em)', undefined, { getInitialValueInEffect: false });
  const [opened, setOpened] = useState(false);
  return (
    <details
      className={classes['guide']}
      open={!isNarrow || opened}
      onToggle={(event) => isNarrow && setOpened(event.currentTarget.open)}
    >
      <summary className={classes['summary']} {...(!isNarrow && { tabIndex: -1 })}>
        <Title order={2}>Where to find these in {kind.title}</Title>
      </summary>
      <ol className={classes['steps']}>
        {kind.guide.map(({ text, setting, who }) => {
          const isLit = setting !== undefined && setting === form.focused;
          const title = form.settings.find(({ name }) => name === setting)?.title;
          return (
            <li key={text} className={classes['step']} {...(isLit && { 'aria-current': 'step' as const })}>
              {who && (
                <Text size="xs" c="dimmed" fw={600}>
                  {who}
                </Text>
              )}
              <Text size="sm">{text}</Text>
              {setting !== undefined && title !== undefined && (
                <UnstyledButton className={classes['field']!} onClick={() => form.focus(setting)}>
                  <IconArrowRight size={13} aria-hidden /> {title}
                </UnstyledButton>
              )}
            </li>
          );
        })}
      </ol>
    </details>
  );
}
