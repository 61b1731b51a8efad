import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Health } from '../../../src/contract/destinations.ts';
import { useSession } from '../../app/session.tsx';
import { StateBadge } from '../../ui/state-badge.tsx';
import { STATES } from '../../ui/words.ts';
import { stateLine, withAddresses } from './state-line.ts';
import classes from './state-report.module.css';

/** The id of the framed report, of which a page has one. */
export const STATE_ID = 'state';

/** A destination's state: its word, the measured cause, the fix, and what becomes of the events. `framed`: a page's first thing. */
export function StateReport({
  health,
  siem,
  now,
  framed = false,
  children,
}: {
  health: Health;
  siem: string;
  now: number;
  framed?: boolean;
  children?: ReactNode;
}) {
  const { cause, fix, waiting } = stateLine(health, siem, now);
  const { egressAddresses } = useSession().installation;
  return (
    <div className={classes['report']} {...(framed && { id: STATE_ID, 'data-mood': STATES[health.state].mood })}>
      <StateBadge state={health.state} siem={siem} />
      <Text size="sm">{cause}</Text>
      {fix && (
        <Text size="sm" {...(!framed && { c: 'dimmed' })}>
          {withAddresses(fix, egressAddresses)}
        </Text>
      )}
      {waiting && (
        <Text size="sm" fw={600}>
          {waiting}
        </Text>
      )}
      {children}
    </div>
  );
}
