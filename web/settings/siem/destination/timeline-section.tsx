import { Group, SegmentedControl, Skeleton, Title } from '@mantine/core';
import { ErrorState } from '../../../ui/error-state.tsx';
import { count, duration } from '../../../ui/words.ts';
import type { Standing } from '../model.ts';
import { clock } from '../state-line.ts';
import { useTimeline } from './queries.ts';
import { bandsOf, type Column, columnsOf, RANGE_NAMES, RANGES, type RangeName, rangeOf } from './timeline.ts';
import { TimelineChart } from './timeline-chart.tsx';
import classes from './timeline-section.module.css';

/** Deliveries over time, and the same as a table. */
export function TimelineSection({
  standing: { destination, health },
  range,
  onRange,
}: {
  standing: Standing;
  range: RangeName;
  onRange: (range: RangeName) => void;
}) {
  const timeline = useTimeline(destination.id, range);
  const { data, error } = timeline;
  const columns = data && columnsOf(data.buckets, range, data.at);
  const present = {
    state: health.state,
    since: Date.parse(health.since),
    createdAt: Date.parse(destination.createdAt),
  };
  return (
    <section aria-labelledby="over-time">
      <Group justify="space-between" gap="xs" mb="sm">
        <Title order={2} id="over-time">
          Over time
        </Title>
        <SegmentedControl
          size="xs"
          value={range}
          onChange={(name) => onRange(rangeOf(name))}
          data={RANGE_NAMES.map((name) => ({ value: name, label: RANGES[name].title }))}
          aria-label="Range of the chart"
        />
      </Group>
      {error && !data && <ErrorState error={error} retry={() => void timeline.refetch()} />}
      {!error && !data && <Skeleton height={224} />}
      {data && columns && (
        <>
          <TimelineChart
            columns={columns}
            bands={bandsOf(data.events, present, columns[0]!.at, data.at)}
            range={range}
            now={data.at}
          />
          <details className={classes['details']}>
            <summary>As a table</summary>
            <Table columns={columns} now={data.at} />
          </details>
        </>
      )}
    </section>
  );
}

function Table({ columns, now }: { columns: readonly Column[]; now: number }) {
  const rows = columns.filter(({ delivered, failed }) => delivered + failed > 0).reverse();
  if (rows.length === 0) return <p>Nothing was sent in this time.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes['scroll']} tabIndex={0} aria-label="Deliveries over time, in numbers">
      <table className={classes['table']}>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Delivered</th>
            <th scope="col">Attempts failed</th>
            <th scope="col">Longest wait</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, delivered, failed, lagSeconds }) => (
            <tr key={at}>
              <td>{clock(new Date(at).toISOString(), now)}</td>
              <td>{count(delivered)}</td>
              <td>{count(failed)}</td>
              <td>{lagSeconds === null ? '–' : duration(lagSeconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
