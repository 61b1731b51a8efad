import { Skeleton, Stack } from '@mantine/core';
import { useTeam } from '../app/session.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { ErrorState } from '../ui/error-state.tsx';
import { NoPermission } from '../ui/no-permission.tsx';
import { PageHeader } from '../ui/page-header.tsx';
import { Live } from '../ui/stale-notice.tsx';
import { useDestinations, useStandIns } from './queries.ts';
import { StandInRow } from './stand-in-row.tsx';

/** Stand-ins for the SIEMs beside a demo: what each received, and switches that make one misbehave. */
export function SandboxPage() {
  const may = useTeam().can('destinations:read');
  return may ? <Sandbox /> : <NoPermission permission="destinations:read" what="the sandbox" />;
}

function Sandbox() {
  const [standIns, destinations] = [useStandIns(), useDestinations()];
  const { data, error, refetch } = standIns;
  return (
    <>
      <PageHeader
        title="Sandbox"
        lead={
          <>
            Stand-ins for the SIEMs, each counting on its own side what it received.
            <br />
            Make Splunk busy, then watch its destination hold and catch up: nothing is missing.
          </>
        }
      />
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!error && !data && (
        <Stack gap="md" aria-busy="true" role="status" aria-label="Loading the stand-ins">
          {[0, 1, 2, 3, 4].map((row) => (
            <Skeleton key={row} height={120} />
          ))}
        </Stack>
      )}
      {data?.length === 0 && (
        <EmptyState title="There is no sandbox here">
          Stand-ins run beside the service in the demo: start it with <code>npm run demo</code>.
        </EmptyState>
      )}
      {data && (
        <Live query={standIns}>
          {data.map((standIn) => (
            <StandInRow
              key={standIn.kind}
              standIn={standIn}
              destination={destinations.data?.find(({ kind }) => kind === standIn.kind)}
            />
          ))}
        </Live>
      )}
    </>
  );
}
