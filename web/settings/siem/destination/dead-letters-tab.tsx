import { Alert, Button, Checkbox, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTeam } from '../../../app/session.tsx';
import { EmptyState } from '../../../ui/empty-state.tsx';
import { ErrorState } from '../../../ui/error-state.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import { Live } from '../../../ui/stale-notice.tsx';
import { count } from '../../../ui/words.ts';
import { useRefresh } from '../queries.ts';
import { DeadLetterRow } from './dead-letter-row.tsx';
import classes from './dead-letters-tab.module.css';
import { useDeadLetters } from './queries.ts';

/** Events that the SIEM refused one by one, with its reason; they can be sent again. */
export function DeadLettersTab({ id, siem, total }: { id: string; siem: string; total: number }) {
  const team = useTeam();
  const mayWrite = team.can('destinations:write');
  const letters = useDeadLetters(id);
  const refresh = useRefresh();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const redrive = useMutation({
    mutationFn: (ids: readonly string[] | null) =>
      team.api<{ redriven: number }>('POST', `/v1/destinations/${id}/dead-letters/redrive`, {
        body: ids ? { ids } : {},
      }),
    onSuccess: async () => {
      setChosen(new Set());
      await refresh();
    },
  });
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = letters;
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data)
    return (
      <Stack gap={10} aria-busy="true" role="status" aria-label="Loading dead letters">
        {[0, 1, 2].map((row) => (
          <Skeleton key={row} height={44} />
        ))}
      </Stack>
    );
  const items = data.pages.flatMap((page) => page.items);
  const open = items.filter(({ redriving }) => !redriving);
  const isAll = open.length > 0 && open.every((letter) => chosen.has(letter.id));
  const result = redrive.data && (
    <Alert color="gray" variant="light" py="xs" role="status">
      <Text size="sm">
        {redrive.data.redriven === 0
          ? 'None of them is a dead letter any more.'
          : `${count(redrive.data.redriven, 'event')} on the way again. Those that ${siem} takes leave this list; those it refuses again stay, with its new reason.`}
      </Text>
    </Alert>
  );
  if (items.length === 0)
    return (
      <Stack>
        {result}
        <EmptyState title="No dead letters">
          An event that {siem} refuses for what it is (never because {siem} is down) is kept here with {siem}’s answer,
          until you send it again. Other events go past it.
        </EmptyState>
      </Stack>
    );
  return (
    <Live query={letters}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {siem} refused {total === 1 ? 'this event' : 'these events'}. {total === 1 ? 'It is' : 'They are'} kept here,
          none is lost. Mend the cause there or in the settings, then send {total === 1 ? 'it' : 'them'} again.
        </Text>
        {result}
        {redrive.error && <FormProblem error={redrive.error} />}
        {mayWrite && open.length > 0 && (
          <Group gap="sm" className={classes['actions']!}>
            <Checkbox
              label={isAll ? 'Choose none' : 'Choose all shown'}
              checked={isAll}
              indeterminate={chosen.size > 0 && !isAll}
              onChange={() => setChosen(new Set(isAll ? [] : open.map((letter) => letter.id)))}
            />
            {chosen.size > 0 && (
              <Button size="compact-sm" loading={redrive.isPending} onClick={() => redrive.mutate([...chosen])}>
                Send {count(chosen.size)} again
              </Button>
            )}
            <Button
              size="compact-sm"
              variant="default"
              disabled={redrive.isPending}
              onClick={() => redrive.mutate(null)}
            >
              Send all {count(Math.max(total, open.length))} again
            </Button>
          </Group>
        )}
        <ul className={classes['list']}>
          {items.map((letter) => (
            <DeadLetterRow
              key={letter.id}
              letter={letter}
              isChosen={chosen.has(letter.id)}
              {...(mayWrite && {
                onChoose: (is: boolean) => setChosen((ids) => toggled(ids, letter.id, is)),
                onSend: () => redrive.mutate([letter.id]),
              })}
            />
          ))}
        </ul>
        {hasNextPage && (
          <Button
            variant="default"
            loading={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
            style={{ alignSelf: 'flex-start' }}
          >
            Load more
          </Button>
        )}
      </Stack>
    </Live>
  );
}

function toggled(ids: ReadonlySet<string>, id: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(ids);
  if (isIn) next.add(id);
  else next.delete(id);
  return next;
}
