import { SimpleGrid, Text } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Kind } from '../model.ts';
import { ProviderMark } from '../provider-mark.tsx';
import classes from './provider-cards.module.css';

/** The SIEMs there are, each with what it needs and who has it. `readOnly`: to read only. */
export function ProviderCards({ kinds, readOnly }: { kinds: readonly Kind[]; readOnly: boolean }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, xl: 3 }} spacing="sm" component="ul" className={classes['list']!}>
      {kinds.map((kind) => (
        <li key={kind.kind}>
          {readOnly ? (
            <div className={classes['card']}>
              <Content kind={kind} />
            </div>
          ) : (
            <Link to="/settings/siem/new/$kind" params={{ kind: kind.kind }} className={classes['card']!}>
              <Content kind={kind} />
              <IconChevronRight size={16} className={classes['chevron']!} aria-hidden />
            </Link>
          )}
        </li>
      ))}
    </SimpleGrid>
  );
}

function Content({ kind: { kind, title, needs } }: { kind: Kind }) {
  return (
    <>
      <ProviderMark kind={kind} />
      <div className={classes['words']}>
        <Text fw={600}>{title}</Text>
        <Text size="sm" c="dimmed">
          {needs}
        </Text>
      </div>
    </>
  );
}
