import { expect, it } from 'vitest';
import { behaviour } from './faults.ts';

it('says how a stand-in behaves and what to watch', () => {
  expect(behaviour(null)).toBe('Answers as it should');
  expect(behaviour({ kind: 'busy' })).toBe('Says that it is busy: events wait, and go on by themselves');
  expect(behaviour({ kind: 'drip' })).toBe('Misbehaves (drip)');
});
