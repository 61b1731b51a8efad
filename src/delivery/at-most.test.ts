import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atMost } from './at-most.ts';

describe('at most so many at once', () => {
  it('lets the rest wait in order, and goes on after a failure', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 40 }),
        fc.scheduler(),
        async (most, fails, scheduler) => {
          const inTurn = atMost(most);
          const begun: number[] = [];
          let running = 0;
          let highest = 0;
          const works = fails.map((isFailing, n) =>
            inTurn(async () => {
              begun.push(n);
              highest = Math.max(highest, ++running);
              await scheduler.schedule(Promise.resolve());
              running--;
              if (isFailing) throw new Error(`${n}`);
              return n;
            }),
          );
          const ended = Promise.allSettled(works);
          await scheduler.waitFor(ended);
          expect((await ended).map(({ status }) => status === 'rejected')).toEqual(fails);
          expect(begun).toEqual(fails.map((_, n) => n));
          expect(highest).toBe(Math.min(most, fails.length));
        },
      ),
    );
  });
});
