import { describe, expect, it } from 'vitest';
import { endOf, grown, pageOf, pagesAround, type Trail } from './trail.ts';

const page = (length: number, nextCursor: string | null) => ({ events: Array.from({ length }), nextCursor });
const trail: Trail = [page(100, 'a'), page(3, 'b'), page(100, 'c'), page(100, 'd')].reduce<Trail>(
  (sum, one, i) => grown(sum, i, one),
  [],
);

describe('the trail of pages', () => {
  it('finds a row’s page, short pages too', () => {
    expect([0, 99, 100, 102, 103, 302, 303].map((row) => pageOf(trail, row))).toEqual([0, 0, 1, 1, 2, 3, undefined]);
  });

  it('does not grow twice by the same page', () => {
    expect(grown(trail, 2, page(100, 'c'))).toBe(trail);
    expect(endOf(grown(trail, 4, page(7, null)))).toEqual({ known: 310, isComplete: true });
  });

  it('wants the pages being looked at, their neighbours, and the next one in time', () => {
    expect(pagesAround(trail, 0, 20)).toEqual([0, 1]);
    expect(pagesAround(trail, 110, 140)).toEqual([1, 2, 3]);
    expect(pagesAround(trail, 150, 200)).toEqual([1, 2, 3, 4]);
    expect(pagesAround(trail, 290, 303)).toEqual([2, 3, 4]);
  });

  it('wants nothing behind the end', () => {
    const whole = grown(trail, 4, page(7, null));
    expect(pagesAround(whole, 300, 309)).toEqual([2, 3, 4]);
  });
});
