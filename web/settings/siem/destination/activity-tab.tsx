import { Button, Skeleton, Stack, Text } from '@mantine/core';
import { EmptyState } from '../../../ui/empty-state.tsx';
import { ErrorState } from '../../../ui/error-state.tsx';
import { Live } from '../../../ui/stale-notice.tsx';
import { Time } from '../../../ui/time.tsx';
import { bytes, count, duration } from '../../../ui/words.ts';
import type { Attempt } from '../model.ts';
import classes from './activity-tab.module.css';
import { ATTEMPT_KINDS, deliveredOf, outcomeWords } from './attempt-words.ts';
import { useAttempts } from './queries.ts';

/** What was tried and what came of it, newest first. */
export function ActivityTab({ id, siem }: { id: string; siem: string }) {
  const attempts = useAttempts(id);
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = attempts;
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data) return <Rows />;
  const items = data.pages.flatMap((page) => page.items);
  if (items.length === 0)
    return (
      <EmptyState title="Nothing was sent yet">
        Every request to {siem} will be listed here for 30 days: when, how many events, how long it took and what {siem}{' '}
        answered. The first one goes out with the next event.
      </EmptyState>
    );
  return (
    <Live query={attempts}>
      <table className={classes['table']}>
        <caption className={classes['caption']}>Attempts of the last 30 days, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">What came of it</th>
            <th scope="col" className={classes['number']}>
              Events
            </th>
            <th scope="col" className={classes['number']}>
              Size
            </th>
            <th scope="col" className={classes['number']}>
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((attempt) => (
            <Row key={`${attempt.at} ${attempt.kind} ${attempt.firstSequence}`} attempt={attempt} />
          ))}
        </tbody>
      </table>
      {hasNextPage && (
        <Button variant="default" mt="md" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Load more
        </Button>
      )}
    </Live>
  );
}

function Row({ attempt }: { attempt: Attempt }) {
  const { word, mark, mood } = outcomeWords(attempt);
  const { kind, reason, answer, status, durationMs } = attempt;
  return (
    <tr>
      <td className={classes['time']}>
        <Time at={attempt.at} ago={false} />
        {kind !== 'delivery' && (
          <Text size="xs" c="dimmed">
            {ATTEMPT_KINDS[kind]}
          </Text>
        )}
      </td>
      <td className={classes['outcome']} data-mood={mood}>
        <span className={classes['mark']} aria-hidden>
          {mark}
        </span>{' '}
        {word}
        {status !== null && <span className={classes['quiet']}> · {status}</span>}
        {reason && <div>{reason}</div>}
        {answer && reason && answer !== reason && <div className={classes['answer']}>{answer}</div>}
      </td>
      <td className={classes['number']} data-label="Events">
        {deliveredOf(attempt, count)}
      </td>
      <td className={classes['number']} data-label="Size">
        {attempt.bytes > 0 ? bytes(attempt.bytes) : '–'}
      </td>
      <td className={classes['number']} data-label="Took">
        {durationMs < 1000 ? `${Math.round(durationMs)} ms` : duration(durationMs / 1000)}
      </td>
    </tr>
  );
}

function Rows() {
  return (
    <Stack gap={10} aria-busy="true" role="status" aria-label="Loading attempts">
      {[0, 1, 2, 3, 4].map((row) => (
        <Skeleton key={row} height={30} />
      ))}
    </Stack>
  );
}
