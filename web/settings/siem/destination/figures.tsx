import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Health } from '../../../../src/contract/destinations.ts';
import { count, duration } from '../../../ui/words.ts';
import classes from './figures.module.css';

/** The three numbers: what waits, how old its oldest is, what was delivered in a day. */
export function Figures({ health: { counts, lag, last24h } }: { health: Health }) {
  const failed = last24h.failedAttempts;
  return (
    <dl className={classes['figures']}>
      <Figure label="Waiting" value={count(counts.pending)}>
        {counts.pending === 0 ? 'all is sent' : 'kept until delivered'}
      </Figure>
      <Figure label="Oldest waiting" value={counts.pending === 0 ? '–' : duration(lag.seconds)}>
        since it was received
      </Figure>
      <Figure label="Delivered in 24 h" value={count(last24h.delivered)}>
        {failed === 0 ? 'no attempt failed' : `${count(failed, 'attempt')} failed`}
      </Figure>
    </dl>
  );
}

function Figure({ label, value, children }: { label: string; value: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <span className={classes['value']}>{value}</span>
        <Text size="xs" c="dimmed">
          {children}
        </Text>
      </dd>
    </div>
  );
}
