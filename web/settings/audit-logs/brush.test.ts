import { describe, expect, it } from 'vitest';
import { barAt, barsOf, brushedRange, fittingBucket, moved } from './brush.ts';

const T = Date.parse('2026-11-22T10:00:00.000Z');
const MINUTE = 60_000;

describe('bars', () => {
  it('stand side by side over the whole range, empty ones too', () => {
    const counts = [
      { at: T + MINUTE, success: 3, failure: 1 },
      { at: T + 3 * MINUTE, success: 0, failure: 2 },
      { at: T + MINUTE + 15_000, success: 1, failure: 0 },
    ];
    expect(barsOf(counts, 60, T, T + 5 * MINUTE)).toEqual({
      bucketMs: MINUTE,
      most: 5,
      bars: [0, 4, 0, 0, 0].map((success, i) => ({ at: T + i * MINUTE, success, failure: [0, 1, 0, 2, 0][i] })),
    });
  });

  it('reach to events outside of the range, and begin with the first where it is open', () => {
    const counts = [
      { at: T, success: 1, failure: 0 },
      { at: T + 9 * MINUTE, success: 1, failure: 0 },
    ];
    const { bars } = barsOf(counts, 60, undefined, T + 2 * MINUTE);
    expect([bars.length, bars[0]!.at, bars.at(-1)!.at]).toEqual([10, T, T + 9 * MINUTE]);
  });

  it('are put together when a wrong clock makes them too many, and lose nothing', () => {
    const counts = [
      { at: Date.parse('1970-01-02T00:00:00Z'), success: 1, failure: 1 },
      { at: T, success: 5, failure: 0 },
    ];
    const { bars } = barsOf(counts, 60, undefined, T + MINUTE);
    expect(bars.length).toBeLessThanOrEqual(242);
    expect(bars.reduce((sum, { success, failure }) => sum + success + failure, 0)).toBe(7);
  });

  it('are there without any event', () => {
    expect(barsOf([], 86_400, undefined, T).bars).toHaveLength(1);
  });

  it('have a round length that fits', () => {
    expect(fittingBucket(T, T + 86_400_000, 96)).toBe(900);
    expect(fittingBucket(T, T + 86_400_000, 36)).toBe(3_600);
    expect(fittingBucket(T, T, 36)).toBe(1);
    expect(fittingBucket(0, T * 1000, 36)).toBe(31_536_000);
  });
});

describe('the brush', () => {
  it('begins at the end the key comes from, moves, and extends with Shift', () => {
    expect(moved(null, 'ArrowRight', false, 10)).toEqual({ anchor: 0, head: 0 });
    expect(moved(null, 'ArrowLeft', true, 10)).toEqual({ anchor: 9, head: 9 });
    expect(moved({ anchor: 4, head: 4 }, 'ArrowRight', false, 10)).toEqual({ anchor: 5, head: 5 });
    expect(moved({ anchor: 4, head: 4 }, 'ArrowLeft', true, 10)).toEqual({ anchor: 4, head: 3 });
    expect(moved({ anchor: 4, head: 9 }, 'ArrowRight', true, 10)).toEqual({ anchor: 4, head: 9 });
    expect(moved({ anchor: 4, head: 2 }, 'End', true, 10)).toEqual({ anchor: 4, head: 9 });
  });

  it('lets other keys be, and has nothing to move on without bars', () => {
    expect(moved({ anchor: 4, head: 4 }, 'Tab', false, 10)).toBeUndefined();
    expect(moved(null, 'ArrowRight', false, 0)).toBeUndefined();
  });

  it('finds the bar under a place, also beyond the ends', () => {
    expect([-1, 0, 0.49, 0.5, 1, 3].map((place) => barAt(place, 4))).toEqual([0, 0, 1, 2, 3, 3]);
  });

  it('means from the begin of its first bar to the end of its last, whichever way it was drawn', () => {
    const bars = barsOf([], 60, T, T + 10 * MINUTE);
    expect(brushedRange(bars, { anchor: 3, head: 1 })).toEqual({
      from: '2026-11-22T10:01:00.000Z',
      to: '2026-11-22T10:04:00.000Z',
    });
  });
});
