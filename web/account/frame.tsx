import { Group, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Mark } from '../app/mark.tsx';
import { SchemeMenu } from '../app/scheme-menu.tsx';
import { useSession } from '../app/session.tsx';
import classes from './frame.module.css';

/** The frame of the pages before the console: nothing but one card. */
export function AccountFrame() {
  const { brand } = useSession().installation;
  return (
    <div className={classes['page']}>
      <header className={classes['header']}>
        <Group gap={8} wrap="nowrap">
          <Mark />
          <Text fw={600} size="sm">
            Trailproof
          </Text>
        </Group>
        <SchemeMenu />
      </header>
      <main className={classes['main']} id="page" tabIndex={-1}>
        <Outlet />
      </main>
      <footer className={classes['footer']}>
        <Text size="xs" c="dimmed">
          The audit log of {brand}
        </Text>
      </footer>
    </div>
  );
}

export function Card({ title, lead, children }: { title: string; lead?: ReactNode; children?: ReactNode }) {
  useDocumentTitle(`${title} · Trailproof`);
  return (
    <div className={classes['card']}>
      <Title order={1}>{title}</Title>
      {lead && (
        <Text size="sm" c="dimmed" mt={4} component="div">
          {lead}
        </Text>
      )}
      {children && <div className={classes['body']}>{children}</div>}
    </div>
  );
}
