import { ActionIcon, Drawer, Group, Kbd, Skeleton, Stack, Text, Tooltip } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { ApiProblem } from '../../api/problem.ts';
import { CopyText } from '../../ui/copy-text.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { useAddress } from './address.ts';
import { EventChanges } from './event-changes.tsx';
import { EventDelivery } from './event-delivery.tsx';
import classes from './event-drawer.module.css';
import { Identity, Marks, Metadata, Target, When, Where, Who } from './event-facts.tsx';
import { EventJson } from './event-json.tsx';
import type { Place } from './event-table.tsx';
import { actorOf, reasonOf, targetOf } from './event-words.ts';
import { useStoredText, useWords } from './queries.ts';

/** Everything about one event, over the list it is from. */
export function EventDrawer({ id, place }: { id: string | undefined; place: Place }) {
  const { open, close } = useAddress();
  const go = (event: string | undefined) => event !== undefined && open({ event }, { replace: true });
  useHotkeys(
    id === undefined
      ? []
      : [
          ['j', () => go(place.older)],
          ['k', () => go(place.newer)],
        ],
  );
  return (
    <Drawer.Root opened={id !== undefined} onClose={close} position="right" size={640} returnFocus={false}>
      <Drawer.Overlay backgroundOpacity={0.2} />
      <Drawer.Content aria-label="Event">
        <Drawer.Header className={classes['head']!}>
          <Group gap={4}>
            {place.newer !== undefined && (
              <Step label="Newer event" hotkey="K" onClick={() => go(place.newer)}>
                <IconChevronUp size={16} />
              </Step>
            )}
            {place.older !== undefined && (
              <Step label="Older event" hotkey="J" onClick={() => go(place.older)}>
                <IconChevronDown size={16} />
              </Step>
            )}
          </Group>
          <Drawer.CloseButton aria-label="Close" data-autofocus />
        </Drawer.Header>
        <Drawer.Body>{id !== undefined && <Event id={id} />}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function Step(props: { label: string; hotkey: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <Tooltip
      label={
        <>
          {props.label} <Kbd size="xs">{props.hotkey}</Kbd>
        </>
      }
    >
      <ActionIcon variant="subtle" color="gray" aria-label={props.label} onClick={props.onClick}>
        {props.children}
      </ActionIcon>
    </Tooltip>
  );
}

function Event({ id }: { id: string }) {
  const { data, error, refetch } = useStoredText(id);
  if (error instanceof ApiProblem && error.code === 'not_found')
    return (
      <EmptyState title="This event is not in the log">
        <Stack gap="xs" align="center">
          It is older than what the team keeps, belongs to another team, or never was.
          <CopyText value={id} />
        </Stack>
      </EmptyState>
    );
  if (error) return <ErrorState title="The event could not be loaded" error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Stack aria-busy aria-label="Loading the event">
        <Skeleton height={24} width="50%" />
        <Skeleton height={14} width="75%" />
        <Skeleton height={220} mt="md" />
      </Stack>
    );
  const { event, text } = data;
  return (
    <Stack gap="lg">
      <Headline event={event} />
      <Marks event={event} />
      <When event={event} />
      <Who event={event} />
      {event.changes && <EventChanges changes={event.changes} />}
      <Target event={event} />
      <Where event={event} />
      <Metadata event={event} />
      <EventDelivery id={id} />
      <Identity event={event} />
      <EventJson text={text} />
    </Stack>
  );
}

function Headline({ event }: { event: StoredEvent }) {
  const words = useWords();
  const reason = reasonOf(event);
  const target = targetOf(event);
  const title = words.types.get(event.eventType) ?? event.eventType;
  return (
    <div>
      <Drawer.Title className={classes['title']!}>
        <span className={classes['outcome']} data-status={event.status} aria-hidden>
          {event.status === 'failure' ? '✕' : '✓'}
        </span>
        {title}
      </Drawer.Title>
      <Text size="sm" mt={4}>
        {actorOf(event)}
        {target && target !== actorOf(event) && ` → ${target}`}
        {event.description && event.description !== title && ` · ${event.description}`}
        {event.status === 'failure' && (
          <span className={classes['failure']}>{reason ? ` · failed: ${reason}` : ' · failed'}</span>
        )}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace" mt={4}>
        {event.eventType} · {words.categories.get(event.eventCategory) ?? event.eventCategory}
      </Text>
    </div>
  );
}
