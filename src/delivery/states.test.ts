import { describe, expect, it } from 'vitest';
import type { DestinationState, Progress } from '../store/destinations.ts';
import { type Told, tell, tellDueAt } from './states.ts';

const at = (state: DestinationState) => ({ state, cause: null, fix: null }) as Progress;

/** Tells a history of [second, state] and returns what was told when. */
function history(...changes: readonly (readonly [number, DestinationState])[]): object[] {
  let told: Told = { state: 'connected', seen: 'connected', at: {}, changes: 0 };
  return changes.flatMap(([second, state]) => {
    const result = tell(told, at(state), second * 1_000);
    told = result.told;
    const { change } = result;
    return change ? [[second, change.previous, change.finding.state, change.suppressed]] : [];
  });
}

describe('the audit log is told of a state', () => {
  it('at once, when it has not heard of it in the last minute', () => {
    expect(history([0, 'retrying'], [10, 'connected'], [20, 'throttled'])).toEqual([
      [0, 'connected', 'retrying', 0],
      [10, 'retrying', 'connected', 0],
      [20, 'connected', 'throttled', 0],
    ]);
  });

  it('once, however often its cause is measured', () => {
    expect(history([0, 'retrying'], [100, 'retrying'], [200, 'retrying'])).toHaveLength(1);
  });

  it('later when it comes too soon, if it is still so, with the number of changes kept back', () => {
    const flapping = [
      [0, 'retrying'],
      [1, 'connected'],
      [2, 'retrying'],
      [3, 'connected'],
      [4, 'retrying'],
      [59, 'retrying'],
      [60, 'retrying'],
    ] as const;
    expect(history(...flapping)).toEqual([
      [0, 'connected', 'retrying', 0],
      [1, 'retrying', 'connected', 0],
      [60, 'connected', 'retrying', 2],
    ]);
  });

  it('never, when it is over before its time', () => {
    expect(
      history([0, 'retrying'], [1, 'connected'], [2, 'retrying'], [3, 'connected'], [90, 'connected']),
    ).toHaveLength(2);
  });

  it('says when it is owed something', () => {
    const told: Told = { state: 'connected', seen: 'retrying', at: { retrying: 5_000 }, changes: 1 };
    expect([tellDueAt(told, at('retrying')), tellDueAt(told, at('connected'))]).toEqual([65_000, null]);
  });
});
