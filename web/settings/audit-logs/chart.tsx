import { Group, Text } from '@mantine/core';
import { ErrorState } from '../../ui/error-state.tsx';
import { count } from '../../ui/words.ts';
import { type Bar, barsOf } from './brush.ts';
import classes from './chart.module.css';
import type { Range } from './filter.ts';
import { rangeInWords } from './filter-words.ts';
import { Histogram } from './histogram.tsx';
import type { Arrivals, Live } from './live.ts';
import { LiveMark } from './live-mark.tsx';
import type { useHistogram } from './queries.ts';

/** How much there is, and when it was. */
export function Chart(props: {
  data: ReturnType<typeof useHistogram>['data'];
  isStale: boolean;
  error: Error | null;
  arrived: Arrivals;
  /** null: the range ends before now. */
  live: (Live & { readonly isPaused: boolean }) | null;
  onPause: () => void;
  onResume: () => void;
  onRange: (range: Range) => void;
}) {
  const { data, isStale, error, arrived, live, onPause, onResume, onRange } = props;
  if (error && !data) return <ErrorState title="The chart could not be loaded" error={error} />;
  const counted = data?.histogram;
  const success = (counted?.success ?? 0) + arrived.success;
  const failure = (counted?.failure ?? 0) + arrived.failure;
  const counts: readonly Bar[] = [
    ...(counted?.buckets.map((bucket) => ({ ...bucket, at: Date.parse(bucket.at) })) ?? []),
    ...arrived.buckets,
  ];
  return (
    <section aria-label="Events over time" className={classes['chart']} data-stale={isStale || undefined}>
      <div className={classes['plot']}>
        {data && counted && (
          <Histogram
            bars={barsOf(counts, counted.bucketSeconds, data.from, data.to)}
            summary={`${rangeInWords(data.view.filter.range)}: ${count(success + failure, 'event')}, ${count(failure, 'failure')}`}
            onRange={onRange}
          />
        )}
      </div>
      <Group justify="space-between" gap="xs" mih={24}>
        <Text size="sm" component="p" m={0}>
          {data ? (
            <>
              <b>{count(success + failure, 'event')}</b>
              {failure > 0 && <span className={classes['failures']}> · {count(failure, 'failure')}</span>}
            </>
          ) : (
            <span className={classes['quiet']}>Counting …</span>
          )}
        </Text>
        {live && <LiveMark live={live} onPause={onPause} onResume={onResume} />}
      </Group>
    </section>
  );
}
