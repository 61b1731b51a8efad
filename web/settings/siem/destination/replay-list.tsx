import { Button, Group, Progress, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useTeam } from '../../../app/session.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import { Time, useNow } from '../../../ui/time.tsx';
import type { Replay } from '../model.ts';
import { clock } from '../state-line.ts';
import classes from './replay-list.module.css';
import { percent, progressWords } from './replay-words.ts';

/** Replays, newest first: those under way with their progress, the others with how they ended. */
export function ReplayList({
  id,
  replays,
  onChanged,
}: {
  id: string;
  replays: readonly Replay[];
  onChanged: () => void;
}) {
  const team = useTeam();
  const now = useNow();
  const cancel = useMutation({
    mutationFn: (replay: string) => team.api<void>('DELETE', `/v1/destinations/${id}/replays/${replay}`),
    onSettled: onChanged,
  });
  return (
    <>
      {cancel.error && <FormProblem error={cancel.error} />}
      <ul className={classes['list']}>
        {replays.map((replay) => {
          const range = `${clock(replay.from, now)} – ${clock(replay.to, now)}`;
          return (
            <li key={replay.id} className={classes['row']}>
              <Group justify="space-between" gap="sm">
                <div>
                  <Text size="sm" fw={500}>
                    {range}
                  </Text>
                  <Text size="sm" c="dimmed" component="div">
                    {progressWords(replay)}
                    {replay.createdAt && (
                      <>
                        {' · begun '}
                        <Time at={replay.createdAt} />
                      </>
                    )}
                  </Text>
                </div>
                {replay.status === 'running' && replay.id !== null && team.can('destinations:write') && (
                  <Button
                    size="compact-sm"
                    variant="default"
                    onClick={() => cancel.mutate(replay.id!)}
                    aria-label={`Stop sending ${range} again`}
                  >
                    Stop
                  </Button>
                )}
              </Group>
              {replay.status === 'running' && (
                <Progress value={percent(replay)} mt="xs" size="sm" aria-label={`Sent again: ${range}`} />
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}
