import { Box, Stack, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useSearch } from '@tanstack/react-router';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { LinkButton } from '../../ui/link.tsx';
import { NoPermission } from '../../ui/no-permission.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Live } from '../../ui/stale-notice.tsx';
import { useNow } from '../../ui/time.tsx';
import { DestinationList, DestinationListSkeleton } from './overview/destination-list.tsx';
import { EgressAddresses } from './overview/egress-addresses.tsx';
import { ProviderCards } from './overview/provider-cards.tsx';
import { useKinds, useStandings } from './queries.ts';
import { ReadOnly } from './read-only.tsx';

/** Settings → SIEM: where events are forwarded to, and how each of these destinations stands. */
export function SiemPage() {
  return useTeam().can('destinations:read') ? (
    <Destinations />
  ) : (
    <NoPermission permission="destinations:read" what="SIEM destinations" />
  );
}

function Destinations() {
  const readOnly = !useTeam().can('destinations:write');
  const [kinds, standings] = [useKinds(), useStandings()];
  const now = Math.max(useNow(), standings.dataUpdatedAt);
  const error = kinds.error ?? (standings.data ? null : standings.error);
  const isEmpty = standings.data?.length === 0;
  const adding = useSearch({ strict: false }).add !== undefined;
  return (
    <Box maw={1200}>
      <PageHeader
        title="SIEM"
        lead="Every event of the audit log, forwarded to where your security team watches. What cannot be delivered waits here; nothing is lost."
        actions={
          !isEmpty &&
          !readOnly && (
            <LinkButton
              to="/settings/siem"
              search={adding ? {} : { add: 'siem' }}
              variant={adding ? 'default' : 'filled'}
              leftSection={adding ? undefined : <IconPlus size={16} aria-hidden />}
            >
              {adding ? 'Close' : 'Add'}
            </LinkButton>
          )
        }
      />
      <ReadOnly />
      {error && <ErrorState error={error} retry={() => void Promise.all([kinds.refetch(), standings.refetch()])} />}
      {!error && (!kinds.data || !standings.data) && <DestinationListSkeleton />}
      {kinds.data && standings.data && (
        <Stack gap={40}>
          {(isEmpty || (adding && !readOnly)) && (
            <Stack gap="sm" component="section" aria-labelledby="choose">
              <Title order={2} id="choose">
                {readOnly ? 'Nothing is forwarded yet' : isEmpty ? 'Choose your SIEM' : 'Add a SIEM'}
              </Title>
              <Text size="sm" c="dimmed" maw={640}>
                {readOnly
                  ? 'An Owner or Admin can connect one of these.'
                  : 'Setting one up takes about two minutes: paste an address and a credential, and the connection is tested as you go.'}
              </Text>
              <ProviderCards kinds={kinds.data} readOnly={readOnly} />
            </Stack>
          )}
          {!isEmpty && (
            <Live query={standings}>
              <DestinationList standings={standings.data} kinds={kinds.data} now={now} />
            </Live>
          )}
          <EgressAddresses />
        </Stack>
      )}
    </Box>
  );
}
