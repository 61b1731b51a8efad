import { Skeleton, Text } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Static } from 'typebox';
import type { Histogram as HistogramSchema } from '../../../../src/contract/events.ts';
import { useTeam } from '../../../app/session.tsx';
import { barsOf, fittingBucket } from '../../audit-logs/brush.ts';
import { Histogram } from '../../audit-logs/histogram.tsx';
import type { ReplayRange } from './replay-words.ts';

const BARS = 96;

/** The log's events around the range that is to be sent again; dragging over them chooses it. */
export function ReplayHistogram({ range, onRange }: { range: ReplayRange; onRange: (range: ReplayRange) => void }) {
  const team = useTeam();
  // Wide enough to see what lies before; whole hours, so that a small change of the range asks for nothing new.
  const [from, to] = [floor(range.from - Math.max(3_600_000, range.to - range.from)), floor(Date.now()) + 3_600_000];
  const bucketSeconds = fittingBucket(from, to, BARS);
  const { data } = useQuery({
    queryKey: ['siem', team.id, 'histogram', from, to],
    enabled: team.can('events:read') && from < to,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucketSeconds };
      const counted = await team.api<Static<typeof HistogramSchema>>('GET', '/v1/events/histogram', { query, signal });
      const counts = counted.buckets.map((bucket) => ({ ...bucket, at: Date.parse(bucket.at) }));
      return { bars: barsOf(counts, counted.bucketSeconds, from, to), all: counted.success + counted.failure };
    },
  });
  if (!data) return <Skeleton height={88} />;
  return (
    <div>
      <Histogram
        bars={data.bars}
        summary="Events of the log over time"
        onRange={(chosen) => onRange({ from: Date.parse(chosen.from), to: Date.parse(chosen.to) })}
      />
      <Text size="xs" c="dimmed">
        Drag over the bars to choose, or enter the times.
      </Text>
    </div>
  );
}

function floor(at: number): number {
  return Math.floor(at / 3_600_000) * 3_600_000;
}
