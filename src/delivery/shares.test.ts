import { expect, it } from 'vitest';
import { Shares } from './shares.ts';

it('gives each lane that holds events a smaller batch the more there are, and never next to nothing', () => {
  const shares = new Shares();
  const lanes = Array.from({ length: 5_000 }, () => ({}));
  expect(shares.batchEvents).toBe(50_000);
  for (const lane of lanes.slice(0, 200)) shares.note(lane, true);
  expect(shares.batchEvents).toBe(250);
  for (const lane of lanes) shares.note(lane, true);
  expect(shares.batchEvents).toBe(50);
  for (const lane of lanes.slice(10)) shares.note(lane, false);
  expect(shares.batchEvents).toBe(5_000);
});
