import { Stack, Text } from '@mantine/core';
import type { Health } from '../../../src/contract/destinations.ts';
import { StateBadge } from '../../ui/state-badge.tsx';
import { stateLine } from './state-line.ts';

/** A destination's state: its word, the measured cause, the fix, and what becomes of the events. */
export function StateReport({ health, siem, now }: { health: Health; siem: string; now: number }) {
  const { cause, fix, waiting } = stateLine(health, siem, now);
  return (
    <Stack gap={4} align="flex-start" style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
      <StateBadge state={health.state} siem={siem} />
      <Text size="sm">{cause}</Text>
      {fix && (
        <Text size="sm" c="dimmed">
          {fix}
        </Text>
      )}
      {waiting && (
        <Text size="sm" fw={600}>
          {waiting}
        </Text>
      )}
    </Stack>
  );
}
