import { expect, it } from 'vitest';
import { deliveredOf, outcomeWords } from './attempt-words.ts';

it('says what came of an attempt; a check delivers nothing', () => {
  expect(outcomeWords({ kind: 'delivery', outcome: 'delivered' }).word).toBe('Delivered');
  expect(outcomeWords({ kind: 'check', outcome: 'delivered' }).word).toBe('Answers again');
  expect(outcomeWords({ kind: 'check', outcome: 'misconfigured' }).word).toBe('Held');
});

it('says of how many events how many were taken', () => {
  expect(deliveredOf({ events: 0, delivered: 0 }, String)).toBe('–');
  expect(deliveredOf({ events: 500, delivered: 500 }, String)).toBe('500');
  expect(deliveredOf({ events: 500, delivered: 12 }, String)).toBe('12 of 500');
});
