import { expect, it } from 'vitest';
import { TestClock } from '../../test/rig/test-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { startSessionSweeper } from './session-sweeper.ts';

const HOUR_MS = 3_600_000;

function setUp(expiries: number[]) {
  const clock = new TestClock();
  const start = clock.now();
  const swept: number[] = [];
  const state = { fails: false };
  const sweeper = startSessionSweeper({
    nextExpiry: () => (expiries.length > 0 ? start + Math.min(...expiries) : null),
    sweep: async () => {
      swept.push(clock.now() - start);
      if (state.fails) throw new Error('broken');
      for (const due of expiries.filter((at) => start + at <= clock.now())) expiries.splice(expiries.indexOf(due), 1);
    },
    clock,
    logger: createLogger({ level: 'silent' }),
  });
  return { clock, swept, state, sweeper };
}

it('wakes when the next session expires, and otherwise once an hour', async () => {
  const { clock, swept, sweeper } = setUp([90_000, 90_000, 2.5 * HOUR_MS]);
  await clock.advance(4 * HOUR_MS);
  expect(swept).toEqual([90_000, 90_000 + HOUR_MS, 90_000 + 2 * HOUR_MS, 2.5 * HOUR_MS, 3.5 * HOUR_MS]);
  await sweeper.stop();
  expect(clock.sleeping).toBe(0);
});

it('tries again in a minute when sessions could not be ended', async () => {
  const { clock, swept, state, sweeper } = setUp([90_000]);
  state.fails = true;
  await clock.advance(200_000);
  state.fails = false;
  await clock.advance(HOUR_MS);
  expect(swept).toEqual([90_000, 150_000, 210_000]);
  await sweeper.stop();
});
