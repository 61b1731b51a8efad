import { expect, it } from 'vitest';
import { behaviour, SWITCHES } from './faults.ts';

it('says how a stand-in behaves, and what to watch once a switch made it misbehave', () => {
  expect(behaviour(null)).toBe('Answers as it should');
  expect(behaviour({ kind: 'drip' })).toBe('Answers very slowly');
  for (const { kind } of SWITCHES) expect(behaviour({ kind })).toContain(': ');
});
