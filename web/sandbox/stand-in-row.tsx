import { Button, Group, Skeleton, Text, Title } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Destination } from '../../src/contract/destinations.ts';
import type { StandIn } from '../../src/contract/sandbox.ts';
import { useTeam } from '../app/session.tsx';
import { ProviderMark } from '../settings/siem/provider-mark.tsx';
import { ErrorState } from '../ui/error-state.tsx';
import { FormProblem } from '../ui/form.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { PageLink } from '../ui/link.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { Time } from '../ui/time.tsx';
import { count } from '../ui/words.ts';
import { behaviour, SWITCHES } from './faults.ts';
import { useFault, useReceived } from './queries.ts';
import classes from './stand-in-row.module.css';

/** One stand-in: its own counts, the state of the destination that sends to it, and how it shall behave. */
export function StandInRow({ standIn, destination }: { standIn: StandIn; destination: Destination | undefined }) {
  const { kind, title, fault, counts } = standIn;
  const mayWrite = useTeam().can('destinations:write');
  const setFault = useFault(kind);
  const [opened, setOpened] = useState(false);
  return (
    <section className={classes['row']} aria-labelledby={`stand-in-${kind}`}>
      <Group gap="sm" justify="space-between" align="flex-start">
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <ProviderMark kind={kind} />
          <div>
            <Title order={2} id={`stand-in-${kind}`}>
              {title}
            </Title>
            <Text size="sm" {...(fault && { c: 'var(--trail-failure)' })}>
              {fault && <span aria-hidden>▲ </span>}
              {behaviour(fault)}
            </Text>
          </div>
        </Group>
        {destination ? (
          <Group gap="xs">
            <StateBadge state={destination.state} siem={title} />
            <PageLink to="/settings/siem/$id" params={{ id: destination.id }} size="sm">
              Its destination
            </PageLink>
          </Group>
        ) : (
          <PageLink to="/settings/siem/new/$kind" params={{ kind }} size="sm">
            Connect it
          </PageLink>
        )}
      </Group>
      <dl className={classes['counts']}>
        <Figure label="Events">{count(counts.events)}</Figure>
        <Figure label="Different">{count(counts.distinct)}</Figure>
        <Figure label="Repeats">{count(counts.duplicates + counts.ignoredDuplicates)}</Figure>
        <Figure label="Refused">{count(counts.rejected)}</Figure>
        <Figure label="Requests">{count(counts.requests)}</Figure>
      </dl>
      {setFault.error && <FormProblem error={setFault.error} />}
      <Group gap="xs">
        {mayWrite && (
          <>
            {SWITCHES.map(({ kind: faultKind, button }) => (
              <Button
                key={faultKind}
                size="compact-sm"
                variant={fault?.kind === faultKind ? 'filled' : 'default'}
                aria-pressed={fault?.kind === faultKind}
                aria-label={`${title}: ${button}`}
                onClick={() => setFault.mutate({ kind: faultKind })}
              >
                {button}
              </Button>
            ))}
            <Button
              size="compact-sm"
              variant={fault ? 'light' : 'default'}
              aria-label={`${title}: Come back`}
              onClick={() => setFault.mutate(null)}
            >
              Come back
            </Button>
          </>
        )}
        <Button
          size="compact-sm"
          variant="subtle"
          aria-expanded={opened}
          aria-label={`${title}: ${opened ? 'Hide events' : 'Show events'}`}
          onClick={() => setOpened(!opened)}
        >
          {opened ? 'Hide events' : 'Show events'}
        </Button>
      </Group>
      {opened && <Received kind={kind} title={title} />}
    </section>
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

/** The newest events that a stand-in holds, as it stored them. */
function Received({ kind, title }: { kind: string; title: string }) {
  const { data, error, refetch } = useReceived(kind);
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={120} mt="sm" />;
  if (data.length === 0)
    return (
      <Text size="sm" c="dimmed" mt="sm">
        Nothing yet.
      </Text>
    );
  return (
    <ul className={classes['events']}>
      {data.map(({ id, at, record, event }) => (
        <li key={`${id} ${at}`}>
          <details>
            <summary>
              {typeOf(event)}{' '}
              <Text span size="sm" c="dimmed">
                <Time at={at} />
              </Text>
            </summary>
            <JsonView value={record} label={`Event ${id} at ${title}`} />
          </details>
        </li>
      ))}
    </ul>
  );
}

function typeOf(event: unknown): string {
  return typeof event === 'object' && event !== null && 'eventType' in event ? String(event.eventType) : 'Event';
}
