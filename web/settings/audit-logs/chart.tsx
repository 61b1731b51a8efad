import { ErrorState } from '../../ui/error-state.tsx';
import { type Bar, barsOf } from './brush.ts';
import classes from './chart.module.css';
import type { Range } from './filter.ts';
import { rangeInWords } from './filter-words.ts';
import { Histogram } from './histogram.tsx';
import type { Arrivals } from './live.ts';
import type { Counted } from './queries.ts';

/** When it was: what was counted, and what arrived since. */
export function Chart(props: {
  data: Counted | undefined;
  /** In words. */
  total: string;
  isStale: boolean;
  error: Error | null;
  arrived: Arrivals;
  onRange: (range: Range) => void;
}) {
  const { data, total, isStale, error, arrived, onRange } = props;
  if (error && !data) return <ErrorState title="The chart could not be loaded" error={error} />;
  const counts: readonly Bar[] = [
    ...(data?.histogram.buckets.map((bucket) => ({ ...bucket, at: Date.parse(bucket.at) })) ?? []),
    ...arrived.buckets,
  ];
  return (
    <section aria-label="Events over time" className={classes['chart']} data-stale={isStale || undefined}>
      {data && (
        <Histogram
          bars={barsOf(counts, data.histogram.bucketSeconds, data.from, data.to)}
          summary={`${rangeInWords(data.view.filter.range)}: ${total}`}
          onRange={onRange}
        />
      )}
    </section>
  );
}
