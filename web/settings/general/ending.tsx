import { Button, Group, List, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Static } from 'typebox';
import type { DeletionPreview } from '../../../src/contract/administration.ts';
import { useTeam } from '../../app/session.tsx';
import { useEnter } from '../../app/use-enter.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { Section } from '../../ui/section.tsx';
import { count } from '../../ui/words.ts';
import { useLeave } from '../members/leave.ts';

export function Ending() {
  const team = useTeam();
  const leave = useLeave();
  const enter = useEnter();
  const [asked, setAsked] = useState<'leave' | 'delete'>();
  return (
    <Section title="Leave or delete" lead="The audit log keeps the record of either.">
      <Stack gap="xl">
        <Choice
          title={`Leave ${team.name}`}
          says="It is closed to you at once. The only Owner cannot leave: a team keeps one."
        >
          <Button variant="default" onClick={() => setAsked('leave')}>
            Leave …
          </Button>
        </Choice>
        {team.can('team:delete') ? (
          <Choice
            title={`Delete ${team.name}`}
            says="Access, forwarding and API keys end for everybody at once, and its events are deleted."
          >
            <Button variant="outline" color="red" onClick={() => setAsked('delete')}>
              Delete …
            </Button>
          </Choice>
        ) : (
          <Choice title={`Delete ${team.name}`} says="Only an Owner can delete the team." />
        )}
      </Stack>
      <Confirm
        opened={asked === 'leave'}
        onClose={() => setAsked(undefined)}
        title={`Leave ${team.name}`}
        action="Leave"
        run={leave}
      >
        <Text size="sm">To come back you need an invitation. Events of what you did keep your name and e-mail.</Text>
      </Confirm>
      <Confirm
        opened={asked === 'delete'}
        onClose={() => setAsked(undefined)}
        title={`Delete ${team.name}`}
        action="Delete the team"
        typed={{ text: team.name, label: `Type ${team.name} to delete it` }}
        run={async () => {
          await team.api('DELETE', '/v1/team', { body: { confirm: team.name } });
          await enter('/');
        }}
      >
        <WhatEnds />
      </Confirm>
    </Section>
  );
}

function Choice({ title, says, children }: { title: string; says: string; children?: ReactNode }) {
  return (
    <Group justify="space-between" gap="md" wrap="nowrap" align="flex-start">
      <div>
        <Text size="sm" fw={500}>
          {title}
        </Text>
        <Text size="sm" c="dimmed">
          {says}
        </Text>
      </div>
      <div style={{ flexShrink: 0 }}>{children}</div>
    </Group>
  );
}

/** Counted when asked for: what the deletion would end at this moment. */
function WhatEnds() {
  const team = useTeam();
  const { data, error, refetch } = useQuery({
    queryKey: ['team', team.id, 'deletion'],
    queryFn: ({ signal }) => team.api<Static<typeof DeletionPreview>>('GET', '/v1/team/deletion', { signal }),
    staleTime: 0,
  });
  if (error) return <ErrorState error={error} title="What ends could not be counted" retry={() => void refetch()} />;
  if (!data) return <Skeleton height={120} aria-busy="true" aria-label="Counting" />;
  return (
    <Stack gap="xs">
      <Text size="sm">This ends, at once and for good:</Text>
      <List size="sm" spacing={4}>
        <List.Item>{count(data.events, 'event')} in the audit log, deleted within the hour</List.Item>
        {data.destinations > 0 && (
          <List.Item>
            forwarding to {count(data.destinations, 'SIEM')}
            {data.waitingEvents > 0 && `; ${count(data.waitingEvents, 'waiting event')} will not be sent any more`}
          </List.Item>
        )}
        <List.Item>access of {count(data.members, 'person', 'people')}</List.Item>
        {data.apiKeys > 0 && <List.Item>{count(data.apiKeys, 'API key')}: producers are refused</List.Item>}
      </List>
      <Text size="sm">What your SIEMs hold stays there. Export what you need first. The id is never given again.</Text>
    </Stack>
  );
}
