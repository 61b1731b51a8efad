import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTeam } from '../../../app/session.tsx';
import { Confirm } from '../../../ui/confirm.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import { count } from '../../../ui/words.ts';
import type { Standing } from '../model.ts';
import { useRefresh } from '../queries.ts';

/** Pausing, resuming and deleting, each with what becomes of the events. */
export function Lifecycle({ standing, siem }: { standing: Standing; siem: string }) {
  const { state } = standing.health;
  return (
    <Stack gap="lg" maw={600}>
      <Group justify="space-between" align="flex-start" gap="sm" wrap="nowrap">
        <div>
          <Title order={2} size="h3">
            {state === 'paused' ? 'Resume' : 'Pause'}
          </Title>
          <Text size="sm" c="dimmed">
            {state === 'paused'
              ? `Everything that waits is sent to ${siem}, oldest first.`
              : `Nothing is sent to ${siem} until somebody resumes. Events wait meanwhile; none is lost.`}
          </Text>
        </div>
        <PauseButton standing={standing} siem={siem} />
      </Group>
      <Group justify="space-between" align="flex-start" gap="sm" wrap="nowrap">
        <div>
          <Title order={2} size="h3">
            Delete
          </Title>
          <Text size="sm" c="dimmed">
            Forwarding ends, and its settings, attempts and dead letters go. Every event stays in the audit log.
          </Text>
        </div>
        <DeleteButton standing={standing} siem={siem} />
      </Group>
    </Stack>
  );
}

/** Pauses after saying what that means; resumes at once, which nobody needs to be warned of. */
export function PauseButton({ standing: { destination, health }, siem }: { standing: Standing; siem: string }) {
  const team = useTeam();
  const refresh = useRefresh();
  const [opened, setOpened] = useState(false);
  const isPaused = health.state === 'paused';
  const set = async (action: 'pause' | 'resume'): Promise<void> => {
    await team.api('POST', `/v1/destinations/${destination.id}/${action}`);
    await refresh();
  };
  const resume = useMutation({ mutationFn: () => set('resume') });
  return (
    <>
      <Stack gap={4} align="flex-end" style={{ flex: 'none' }}>
        <Button
          variant={isPaused ? 'filled' : 'default'}
          // Not disabled meanwhile: it would lose the focus.
          aria-busy={resume.isPending}
          onClick={() => (isPaused ? resume.isPending || resume.mutate() : setOpened(true))}
        >
          {resume.isPending ? 'Resuming …' : isPaused ? 'Resume' : 'Pause'}
        </Button>
        {resume.error && <FormProblem error={resume.error} />}
      </Stack>
      <Confirm
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Pause ${destination.name}?`}
        action="Pause"
        color="indigo"
        run={() => set('pause')}
      >
        <Text size="sm">
          {siem} gets nothing until somebody resumes. Events go on being kept and wait here, however long it takes: none
          is lost, and all of them are sent on resume.
        </Text>
      </Confirm>
    </>
  );
}

function DeleteButton({ standing: { destination, health }, siem }: { standing: Standing; siem: string }) {
  const team = useTeam();
  const refresh = useRefresh();
  const navigate = useNavigate();
  const [opened, setOpened] = useState(false);
  const { pending, deadLettered } = health.counts;
  return (
    <>
      <Button
        variant="default"
        color="red"
        c="var(--trail-failure)"
        style={{ flex: 'none' }}
        onClick={() => setOpened(true)}
      >
        Delete
      </Button>
      <Confirm
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Delete ${destination.name}?`}
        action="Delete"
        typed={{ text: destination.name, label: `Type ${destination.name} to confirm` }}
        run={async () => {
          await team.api('DELETE', `/v1/destinations/${destination.id}`);
          await navigate({ to: '/settings/siem' });
          await refresh();
        }}
      >
        <Stack gap={4}>
          <Text size="sm">
            {pending > 0
              ? `${count(pending, 'event')} that ${pending === 1 ? 'waits' : 'wait'} will not be sent to ${siem} any more.`
              : `Nothing waits for ${siem} at the moment.`}
          </Text>
          {deadLettered > 0 && (
            <Text size="sm">
              {count(deadLettered, 'dead letter')} {deadLettered === 1 ? 'goes' : 'go'} with it and cannot be sent
              again.
            </Text>
          )}
          <Text size="sm">
            Every event stays in the audit log; a new destination can begin with them from the beginning. What {siem}{' '}
            has, it keeps.
          </Text>
        </Stack>
      </Confirm>
    </>
  );
}
