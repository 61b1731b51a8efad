import { Group, Stack, Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useTeam } from '../../app/session.tsx';
import { LinkButton, PageLink } from '../../ui/link.tsx';
import { useNow } from '../../ui/time.tsx';
import classes from './forwarding-banner.module.css';
import { useUnhealthy } from './queries.ts';
import { bannerLine, clock } from './state-line.ts';

const SHOWN = 2;

/** Above every page while forwarding is not healthy: what happened, what waits, and the way to the fix. */
export function ForwardingBanner() {
  const now = useNow();
  const mayFix = useTeam().can('destinations:write');
  // A destination's own page says it itself, with more.
  const { id: opened } = useParams({ strict: false });
  const { standings, staleSince } = useUnhealthy();
  const unhealthy = standings.filter(({ destination }) => destination.id !== opened);
  if (unhealthy.length === 0) return null;
  const more = unhealthy.length - SHOWN;
  return (
    <Stack gap={6} className={classes['banner']!} role="status" aria-label="Forwarding is not healthy">
      {unhealthy.slice(0, SHOWN).map(({ destination, health }) => (
        <Group key={destination.id} gap="sm" wrap="nowrap" justify="space-between" align="flex-start">
          <Text size="sm">
            <span aria-hidden className={classes['mark']}>
              ▲{' '}
            </span>
            {staleSince !== null && `As of ${clock(new Date(staleSince).toISOString(), now)}: `}
            {bannerLine(destination, health, now)}
          </Text>
          <LinkButton
            to="/settings/siem/$id"
            params={{ id: destination.id }}
            {...(mayFix && { search: { tab: 'settings', fix: 'now' } })}
            size="compact-sm"
            variant="default"
            className={classes['button']!}
            aria-label={`${mayFix ? 'Fix' : 'Look at'} ${destination.name}`}
          >
            {mayFix ? 'Fix' : 'Look'}
          </LinkButton>
        </Group>
      ))}
      {more > 0 && (
        <PageLink to="/settings/siem" size="sm" c="inherit" underline="always">
          and {more} more
        </PageLink>
      )}
    </Stack>
  );
}
