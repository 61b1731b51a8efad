/** One bar: from `at` (milliseconds) for a bucket's length. */
export interface Bar {
  readonly at: number;
  readonly success: number;
  readonly failure: number;
}
export interface Bars {
  readonly bucketMs: number;
  readonly bars: readonly Bar[];
  /** Events in the highest bar. */
  readonly most: number;
}

/** Round lengths in seconds, none of which cuts an hour or a day unevenly. */
const BUCKETS = [
  ...[1, 5, 10, 30, 60, 120, 300, 600, 900, 1_800],
  ...[3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000, 31_536_000],
];
const MOST_BARS = 240;

/** The shortest round bucket, in seconds, with which [from, to) has at most `most` bars. */
export function fittingBucket(from: number, to: number, most: number): number {
  return BUCKETS.find((seconds) => (to - from) / 1000 / seconds <= most) ?? BUCKETS.at(-1)!;
}

/**
 * Counts as bars side by side, empty ones too, over [from, to) and whatever lies outside of it; an open `from` begins
 * with the first event. When an event of a wrong clock makes it too many, neighbours are put together.
 */
export function barsOf(counts: readonly Bar[], bucketSeconds: number, from: number | undefined, to: number): Bars {
  const first = counts.reduce((least, { at }) => Math.min(least, at), Math.min(from ?? to - 1, to - 1));
  const last = counts.reduce((most, { at }) => Math.max(most, at), to - 1);
  const step = bucketSeconds * 1000;
  const bucketMs = step * Math.max(1, Math.ceil((last - first) / step / MOST_BARS));
  const start = Math.floor(first / bucketMs);
  const bars = Array.from({ length: Math.floor(last / bucketMs) - start + 1 }, (_, i) => ({
    ...{ at: (start + i) * bucketMs, success: 0, failure: 0 },
  }));
  for (const { at, success, failure } of counts) {
    const bar = bars[Math.floor(at / bucketMs) - start]!;
    bar.success += success;
    bar.failure += failure;
  }
  return { bucketMs, bars, most: Math.max(0, ...bars.map(({ success, failure }) => success + failure)) };
}

/** Bars that are chosen, by index, both ends included; `anchor` is where it began. */
export interface Brush {
  readonly anchor: number;
  readonly head: number;
}

/** Arrow keys move the choice, with Shift they extend it; undefined: the key means nothing here. */
export function moved(brush: Brush | null, key: string, shift: boolean, length: number): Brush | undefined {
  const last = length - 1;
  const at = brush?.head;
  const head = {
    ArrowLeft: at === undefined ? last : Math.max(0, at - 1),
    ArrowRight: at === undefined ? 0 : Math.min(last, at + 1),
    Home: 0,
    End: last,
  }[key];
  if (head === undefined || length === 0) return undefined;
  return { anchor: shift && brush ? brush.anchor : head, head };
}

/** The bar under a place, 0 to 1 over the width. */
export function barAt(place: number, length: number): number {
  return Math.min(length - 1, Math.max(0, Math.floor(place * length)));
}

/** The chosen bars as a range of the filter. */
export function brushedRange({ bars, bucketMs }: Bars, brush: Brush): { readonly from: string; readonly to: string } {
  const [low, high] = [Math.min(brush.anchor, brush.head), Math.max(brush.anchor, brush.head)];
  return { from: new Date(bars[low]!.at).toISOString(), to: new Date(bars[high]!.at + bucketMs).toISOString() };
}
