import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Static } from 'typebox';
import type { Histogram } from '../../../../src/contract/events.ts';
import { useTeam } from '../../../app/session.tsx';
import { count } from '../../../ui/words.ts';

/** `at`: minutes of UTC, as the field has them: 2026-11-22T10:42. */
export type Start = { readonly kind: 'now' | 'beginning' } | { readonly kind: 'time'; readonly at: string };

/** `startAt` as the API takes it. */
export function startAt(start: Start): string {
  return start.kind === 'time' ? `${start.at}:00.000Z` : start.kind;
}

/** From where in the log a new destination is served, and about how many events that is. */
export function StartPosition({
  start,
  onChange,
  error,
}: {
  start: Start;
  onChange: (start: Start) => void;
  error: string | undefined;
}) {
  const beginning = useCount(start.kind === 'beginning' ? '' : null);
  const since = useCount(start.kind === 'time' && start.at !== '' ? startAt(start) : null);
  return (
    <Radio.Group
      label="Start with"
      value={start.kind}
      onChange={(kind) => {
        if (kind === 'time') onChange({ kind, at: new Date(Date.now() - 86_400_000).toISOString().slice(0, 16) });
        else if (kind === 'now' || kind === 'beginning') onChange({ kind });
      }}
    >
      <Stack gap={6} mt={6}>
        <Radio value="now" label="New events, from now on" />
        <Radio value="beginning" label={<Counted words="Everything that is kept" events={beginning} />} />
        <Radio value="time" label={<Counted words="Since a time" events={since} />} />
        {start.kind === 'time' && (
          <TextInput
            type="datetime-local"
            label="Received since (UTC)"
            value={start.at}
            error={error}
            maw={260}
            onChange={({ currentTarget }) => onChange({ kind: 'time', at: currentTarget.value.slice(0, 16) })}
          />
        )}
      </Stack>
    </Radio.Group>
  );
}

function Counted({ words, events }: { words: string; events: number | undefined }) {
  return (
    <>
      {words}
      {events !== undefined && (
        <Text span inherit c="dimmed">
          {' '}
          – about {count(events, 'event')}
        </Text>
      )}
    </>
  );
}

/** Events since a time; '' is all; null asks nothing. By their own time, which is about that of receipt. */
function useCount(from: string | null): number | undefined {
  const team = useTeam();
  const { data } = useQuery({
    queryKey: ['siem', team.id, 'count', from],
    enabled: from !== null && team.can('events:read'),
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const { success, failure } = await team.api<Static<typeof Histogram>>('GET', '/v1/events/histogram', {
        query: { from, bucketSeconds: 31_536_000 },
        signal,
      });
      return success + failure;
    },
  });
  return data;
}
