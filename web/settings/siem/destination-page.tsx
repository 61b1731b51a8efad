import { Badge, Box, Button, Skeleton, Stack, Tabs } from '@mantine/core';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ApiProblem } from '../../api/problem.ts';
import { NotFound } from '../../app/not-found.tsx';
import { oneOf } from '../../app/search.ts';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { NoPermission } from '../../ui/no-permission.tsx';
import { Live } from '../../ui/stale-notice.tsx';
import { useNow } from '../../ui/time.tsx';
import { count } from '../../ui/words.ts';
import { fieldToMend, remedy } from './connect/test-steps.ts';
import { ActivityTab } from './destination/activity-tab.tsx';
import { CategoriesTab } from './destination/categories-tab.tsx';
import { DeadLettersTab } from './destination/dead-letters-tab.tsx';
import { Figures } from './destination/figures.tsx';
import { PauseButton } from './destination/lifecycle.tsx';
import { ReplayTab } from './destination/replay-tab.tsx';
import { SettingsTab } from './destination/settings-tab.tsx';
import { rangeOf } from './destination/timeline.ts';
import { TimelineSection } from './destination/timeline-section.tsx';
import { type Kind, type Standing, siemName } from './model.ts';
import { useDestination, useKinds } from './queries.ts';
import { ReadOnly } from './read-only.tsx';
import { SiemHeader } from './siem-header.tsx';
import { StateReport } from './state-report.tsx';

const TABS = ['activity', 'dead-letters', 'replay', 'settings', 'categories'] as const;

/** Settings → SIEM → one destination: how it stands, what it did, and everything that can be done about it. */
export function DestinationPage() {
  const may = useTeam().can('destinations:read');
  const { id } = useParams({ strict: false });
  if (!may) return <NoPermission permission="destinations:read" what="SIEM destinations" />;
  return id === undefined ? <NotFound /> : <Loaded id={id} />;
}

function Loaded({ id }: { id: string }) {
  const [standing, kinds] = [useDestination(id), useKinds()];
  const error = kinds.error ?? (standing.data ? null : standing.error);
  if (error instanceof ApiProblem && error.status === 404) return <NotFound />;
  if (error) return <ErrorState error={error} retry={() => void Promise.all([standing.refetch(), kinds.refetch()])} />;
  if (!standing.data || !kinds.data) return <Shape />;
  const { destination } = standing.data;
  const kind = kinds.data.find((known) => known.kind === destination.kind);
  if (!kind) return <ErrorState error={`This service does not know destinations of the kind ${destination.kind}.`} />;
  return (
    <Live query={standing}>
      <Page standing={standing.data} kind={kind} asOf={standing.dataUpdatedAt} />
    </Live>
  );
}

function Page({ standing, kind, asOf }: { standing: Standing; kind: Kind; asOf: number }) {
  const { destination, health } = standing;
  const mayWrite = useTeam().can('destinations:write');
  const now = Math.max(useNow(), asOf);
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const siem = siemName(kind);
  const tab = TABS.find((name) => name === oneOf(search.tab)) ?? 'activity';
  const set = (change: Record<string, string | undefined>): void =>
    void navigate({ to: '.', search: (before) => ({ ...before, ...change }), resetScroll: false });
  const { deadLettered } = health.counts;
  const field = fieldToMend(health, kind.settings);

  return (
    <Box maw={1200}>
      <SiemHeader
        kind={kind.kind}
        title={destination.name}
        lead={destination.name === siem ? undefined : siem}
        actions={mayWrite && <PauseButton standing={standing} siem={siem} />}
      />
      <ReadOnly />
      <Stack gap="lg">
        <StateReport health={health} siem={siem} now={now} framed>
          {field && mayWrite && tab !== 'settings' && (
            <Button size="compact-sm" mt={4} onClick={() => set({ tab: 'settings', fix: 'now' })}>
              {remedy(field)}
            </Button>
          )}
        </StateReport>
        <Figures health={health} />
        <Tabs value={tab} onChange={(name) => name !== null && set({ tab: name, fix: undefined })} keepMounted={false}>
          <Tabs.List mb="lg">
            <Tabs.Tab value="activity">Activity</Tabs.Tab>
            <Tabs.Tab
              value="dead-letters"
              rightSection={
                deadLettered > 0 ? (
                  <Badge size="sm" color="red" variant="light">
                    {count(deadLettered)}
                  </Badge>
                ) : null
              }
            >
              Dead letters
            </Tabs.Tab>
            <Tabs.Tab value="replay">Replay</Tabs.Tab>
            <Tabs.Tab value="settings">Settings</Tabs.Tab>
            <Tabs.Tab value="categories">Categories</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="activity">
            <Stack gap="xl">
              <TimelineSection
                standing={standing}
                range={rangeOf(oneOf(search.range), now - Date.parse(destination.createdAt))}
                onRange={(range) => set({ range })}
              />
              <ActivityTab id={destination.id} siem={siem} />
            </Stack>
          </Tabs.Panel>
          <Tabs.Panel value="dead-letters">
            <DeadLettersTab id={destination.id} siem={siem} total={deadLettered} />
          </Tabs.Panel>
          <Tabs.Panel value="replay">
            <ReplayTab id={destination.id} kind={kind.kind} siem={siem} />
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <SettingsTab standing={standing} kind={kind} mend={search.fix === undefined ? undefined : field?.name} />
          </Tabs.Panel>
          <Tabs.Panel value="categories">
            <CategoriesTab destination={destination} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
    </Box>
  );
}

/** The page's shape while it comes. */
function Shape() {
  return (
    <Stack gap="xl" aria-busy="true" role="status" aria-label="Loading the destination">
      <Skeleton height={28} width={200} />
      <Skeleton height={72} maw={520} />
      <Skeleton height={86} />
      <Skeleton height={320} />
    </Stack>
  );
}
