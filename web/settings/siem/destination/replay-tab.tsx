import { Button, Group, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTeam } from '../../../app/session.tsx';
import { ErrorState } from '../../../ui/error-state.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import type { Replay } from '../model.ts';
import { useReplays } from './queries.ts';
import { ReplayHistogram } from './replay-histogram.tsx';
import { ReplayList } from './replay-list.tsx';
import { dryRunWords, fromField, PRESETS, presetRange, rangeProblem, repeatsNote, toField } from './replay-words.ts';

/** Sends a range of events again: how many that is, what the SIEM makes of repeats, how far it got. */
export function ReplayTab({ id, kind, siem }: { id: string; kind: string; siem: string }) {
  const team = useTeam();
  const mayWrite = team.can('destinations:write');
  const replays = useReplays(id);
  return (
    <Stack gap={32}>
      {mayWrite ? (
        <StartReplay id={id} kind={kind} siem={siem} onStarted={() => void replays.refetch()} />
      ) : (
        <Text size="sm" c="dimmed">
          Owners and Admins can send a range of events to {siem} again.
        </Text>
      )}
      <Stack gap="xs" component="section" aria-labelledby="replays">
        <Title order={2} size="h3" id="replays">
          Sent again so far
        </Title>
        {replays.error && !replays.data && <ErrorState error={replays.error} retry={() => void replays.refetch()} />}
        {replays.isPending && <Skeleton height={40} />}
        {replays.data?.length === 0 && (
          <Text size="sm" c="dimmed">
            Nothing was sent again yet.
          </Text>
        )}
        {replays.data && <ReplayList id={id} replays={replays.data} onChanged={() => void replays.refetch()} />}
      </Stack>
    </Stack>
  );
}

function StartReplay({ id, kind, siem, onStarted }: { id: string; kind: string; siem: string; onStarted: () => void }) {
  const team = useTeam();
  const [range, setRange] = useState(() => presetRange('day', Date.now()));
  const [settled] = useDebouncedValue(range, 400);
  const problem = rangeProblem(range);
  const body = { from: new Date(settled.from).toISOString(), to: new Date(settled.to).toISOString() };
  const dryRun = useQuery({
    queryKey: ['siem', team.id, 'dry-run', id, body],
    enabled: rangeProblem(settled) === null,
    queryFn: ({ signal }) =>
      team.api<Replay>('POST', `/v1/destinations/${id}/replay`, { body: { ...body, dryRun: true }, signal }),
  });
  const start = useMutation({
    mutationFn: () =>
      team.api<Replay>('POST', `/v1/destinations/${id}/replay`, {
        body: { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() },
      }),
    onSuccess: onStarted,
  });
  const counted = range === settled ? dryRun.data : undefined;
  const setEnd = (end: 'from' | 'to', text: string): void => {
    const at = fromField(text);
    if (at !== undefined) setRange((before) => ({ ...before, [end]: at }));
  };
  return (
    <Stack gap="md" component="section" aria-labelledby="replay">
      <div>
        <Title order={2} size="h3" id="replay">
          Send events again
        </Title>
        <Text size="sm" c="dimmed">
          For when {siem} lost something, or its index was made anew. New events go on meanwhile.
        </Text>
      </div>
      <Group gap="xs">
        {(['hour', 'day', 'week'] as const).map((name) => (
          <Button
            key={name}
            size="compact-sm"
            variant="default"
            onClick={() => setRange(presetRange(name, Date.now()))}
          >
            {PRESETS[name]}
          </Button>
        ))}
      </Group>
      <ReplayHistogram range={range} onRange={setRange} />
      <Group gap="sm" align="flex-start">
        <TextInput
          type="datetime-local"
          label="Received from (UTC)"
          value={toField(range.from)}
          onChange={({ currentTarget }) => setEnd('from', currentTarget.value)}
        />
        <TextInput
          type="datetime-local"
          label="until (UTC)"
          value={toField(range.to)}
          error={problem}
          onChange={({ currentTarget }) => setEnd('to', currentTarget.value)}
        />
      </Group>
      <div aria-live="polite" style={{ minHeight: 44 }}>
        {dryRun.error && <FormProblem error={dryRun.error} />}
        {!dryRun.error && !problem && (
          <>
            <Text size="sm" fw={600}>
              {counted ? dryRunWords(counted) : 'Counting …'}
            </Text>
            <Text size="sm" c="dimmed">
              {counted && counted.events > 0 ? repeatsNote(kind, siem, counted.events) : ' '}
            </Text>
          </>
        )}
      </div>
      {start.error && <FormProblem error={start.error} />}
      <Button
        style={{ alignSelf: 'flex-start' }}
        loading={start.isPending}
        onClick={() => problem === null && counted?.events !== 0 && start.mutate()}
      >
        Start
      </Button>
    </Stack>
  );
}
