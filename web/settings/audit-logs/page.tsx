import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import { stringifySearch } from '../../app/search.ts';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { lazyDialog } from '../../ui/lazy-dialog.tsx';
import { NoPermission } from '../../ui/no-permission.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { count } from '../../ui/words.ts';
import { useAddress } from './address.ts';
import { Chart } from './chart.tsx';
import { EventDrawer } from './event-drawer.tsx';
import { EventTable, type Place } from './event-table.tsx';
import { reachesNow, searchOf } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
import { useLive } from './live.ts';
import { NoEvents } from './no-events.tsx';
import classes from './page.module.css';
import { useFirstPage, useHistogram, viewOf } from './queries.ts';
import { SavedViews } from './saved-views.tsx';
import { SkeletonRows } from './skeleton-rows.tsx';
import { SummaryRow } from './summary-row.tsx';

const ExportDialog = lazyDialog(async () => (await import('./export-dialog.tsx')).ExportDialog);
const ForwardingPanel = lazyDialog(async () => (await import('./forwarding-panel.tsx')).ForwardingPanel);

export function AuditLogsPage() {
  const team = useTeam();
  if (team.can('events:read')) return <AuditLogs key={team.id} />;
  return (
    <>
      <PageHeader title="Audit Logs" />
      <NoPermission permission="events:read" what="the audit log" />
    </>
  );
}

/** Fewer, wider bars where the page is narrow. */
const BARS = globalThis.innerWidth < 640 ? 36 : 100;

function AuditLogs() {
  const team = useTeam();
  const address = useAddress();
  const [seen, setSeen] = useState(0);
  const [isPaused, setPaused] = useState(false);
  const [place, setPlace] = useState<Place>({});

  // A view is of the moment in which its filter was set, or in which the newest events were asked for.
  const filterKey = stringifySearch(searchOf(address.filter));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the filter; `seen` asks for another moment
  const view = useMemo(() => viewOf(team.id, address.filter, Date.now()), [team.id, filterKey, seen]);
  const list = useFirstPage(view, true);
  const chart = useHistogram(view, BARS, true);
  const shown = list.data;

  const canBeLive = reachesNow(view.filter.range, view.seenAt);
  const follows = canBeLive && !isPaused && shown?.view === view;
  const live = useLive(view, follows ? shown.page.lastSequence : undefined);
  const newest = () => {
    setPaused(false);
    setSeen((n) => n + 1);
    globalThis.scrollTo({ top: 0 });
  };
  const { success, failure } = live.arrived;
  const counted = chart.data && {
    success: chart.data.histogram.success + success,
    failure: chart.data.histogram.failure + failure,
  };
  // As of the view's moment, and only once it is this view that was counted.
  const total = chart.data?.view === view ? chart.data.histogram.success + chart.data.histogram.failure : undefined;

  return (
    <>
      <PageHeader
        title="Audit Logs"
        actions={
          <>
            <SavedViews filter={address.filter} onOpen={address.setFilter} />
            <Button variant="default" size="xs" onClick={() => address.open({ panel: 'export' })}>
              Export
            </Button>
            {team.can('destinations:read') && (
              <Button variant="default" size="xs" onClick={() => address.open({ panel: 'siem' })}>
                SIEM Integration
              </Button>
            )}
          </>
        }
      />
      <FilterBar filter={address.filter} onChange={address.setFilter} />
      <Chart
        data={chart.data}
        total={
          counted ? `${count(counted.success + counted.failure, 'event')}, ${count(counted.failure, 'failure')}` : ''
        }
        isStale={chart.isPlaceholderData}
        error={chart.error}
        arrived={live.arrived}
        onRange={(range) => address.setFilter({ ...address.filter, range })}
      />
      <SummaryRow
        counted={counted}
        arrived={success + failure}
        live={canBeLive ? { ...live, isPaused } : null}
        onNewest={newest}
        onPause={() => setPaused(true)}
      />
      <div className={classes['list']} data-stale={list.isPlaceholderData || undefined} aria-busy={list.isFetching}>
        {list.error && !shown ? (
          <ErrorState title="The events could not be loaded" error={list.error} retry={() => void list.refetch()} />
        ) : !shown ? (
          <SkeletonRows />
        ) : shown.page.events.length === 0 ? (
          <NoEvents
            view={shown.view}
            isEmptyLog={shown.page.lastSequence === 0}
            arrived={success + failure}
            onNewest={newest}
          />
        ) : (
          <EventTable
            key={shown.view.id}
            view={shown.view}
            firstPage={shown.page}
            total={total}
            opened={address.event}
            isCovered={address.panel !== undefined}
            onPlace={setPlace}
          />
        )}
      </div>
      <EventDrawer id={address.event} place={place} />
      <ExportDialog opened={address.panel === 'export'} view={view} total={total} onClose={address.close} />
      <ForwardingPanel opened={address.panel === 'siem'} onClose={address.close} />
    </>
  );
}
