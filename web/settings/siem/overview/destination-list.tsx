import { Group, Skeleton, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { count, duration } from '../../../ui/words.ts';
import { type Kind, type Standing, siemName } from '../model.ts';
import { ProviderMark } from '../provider-mark.tsx';
import { StateReport } from '../state-report.tsx';
import classes from './destination-list.module.css';

/** The destinations, each with how it stands. */
export function DestinationList({
  standings,
  kinds,
  now,
}: {
  standings: readonly Standing[];
  kinds: readonly Kind[];
  now: number;
}) {
  return (
    <ul className={classes['list']}>
      {standings.map(({ destination: { id, kind, name }, health }) => {
        const siem = siemName(kinds.find((known) => known.kind === kind) ?? { title: kind });
        return (
          <li key={id} className={classes['row']}>
            <ProviderMark kind={kind} />
            <div className={classes['name']}>
              <Link to="/settings/siem/$id" params={{ id }} className={classes['link']!}>
                {name}
              </Link>
              {name !== siem && (
                <Text size="sm" c="dimmed">
                  {siem}
                </Text>
              )}
            </div>
            <StateReport health={health} siem={siem} now={now} />
            <dl className={classes['numbers']}>
              <Figure label="Waiting">{count(health.counts.pending)}</Figure>
              <Figure label="Oldest">{health.counts.pending > 0 ? duration(health.lag.seconds) : '–'}</Figure>
              <Figure label="Delivered, 24 h">{count(health.last24h.delivered)}</Figure>
              <Figure label="Dead letters">{count(health.counts.deadLettered)}</Figure>
            </dl>
          </li>
        );
      })}
    </ul>
  );
}

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The list's shape while it comes. */
export function DestinationListSkeleton() {
  return (
    <div className={classes['list']} aria-busy="true" role="status" aria-label="Loading destinations">
      {[0, 1].map((row) => (
        <Group key={row} className={classes['row']!} wrap="nowrap" align="flex-start">
          <Skeleton height={36} width={36} />
          <Stack gap={6} flex={1}>
            <Skeleton height={16} width={120} />
            <Skeleton height={12} width="60%" />
          </Stack>
        </Group>
      ))}
    </div>
  );
}
