import { describe, expect, it } from 'vitest';
import { TestClock } from '../../test/rig/test-clock.ts';
import { createRateLimiter } from './rate-limiter.ts';

const RULE = { window: 60, max: 2 };

describe('the rate limiter', () => {
  it('allows so many in a window that begins with the first', async () => {
    const clock = new TestClock();
    const limiter = createRateLimiter(clock);
    expect(limiter.take('ana', RULE)).toEqual({ allowed: true, retryAfter: null });
    await clock.advance(45_000);
    expect(limiter.wait('ana', RULE)).toBe(0);
    expect(limiter.take('ana', RULE).allowed).toBe(true);
    expect(limiter.wait('ana', RULE)).toBe(15);
    expect(limiter.take('ana', RULE)).toEqual({ allowed: false, retryAfter: 15 });
    expect(limiter.take('bob', RULE).allowed).toBe(true);
    await clock.advance(15_000);
    expect(limiter.wait('ana', RULE)).toBe(0);
    expect(limiter.take('ana', RULE).allowed).toBe(true);
  });

  it('starts anew when told to', () => {
    const limiter = createRateLimiter(new TestClock());
    for (let i = 0; i < 3; i++) limiter.take('ana', RULE);
    limiter.forget('ana');
    expect(limiter.wait('ana', RULE)).toBe(0);
    expect(limiter.take('ana', RULE).allowed).toBe(true);
  });
});
