import { describe, expect, it } from 'vitest';
import { differences } from './changes.ts';

describe('what changed', () => {
  it('is told by path, nested values flattened, what differs first', () => {
    const previous = { name: 'Acme', limits: { daily: 10, hourly: 1 }, tags: ['a', 'b'], old: true };
    const current = { name: 'Acme', limits: { daily: 20, hourly: 1 }, tags: ['a'], owner: null };
    expect(differences({ previous, current })).toEqual([
      { path: 'limits.daily', kind: 'changed', before: '10', after: '20' },
      { path: 'tags[1]', kind: 'removed', before: 'b', after: undefined },
      { path: 'old', kind: 'removed', before: 'true', after: undefined },
      { path: 'owner', kind: 'added', before: undefined, after: 'null' },
      { path: 'name', kind: 'same', before: 'Acme', after: 'Acme' },
      { path: 'limits.hourly', kind: 'same', before: '1', after: '1' },
      { path: 'tags[0]', kind: 'same', before: 'a', after: 'a' },
    ]);
  });

  it('shows a side that is missing, a bare value and emptiness as they are', () => {
    expect(differences({ current: { role: 'admin' } })).toEqual([
      { path: 'role', kind: 'added', before: undefined, after: 'admin' },
    ]);
    expect(differences({ previous: 'a', current: 'b' })).toEqual([
      { path: 'value', kind: 'changed', before: 'a', after: 'b' },
    ]);
    expect(differences({ previous: { scopes: ['x'] }, current: { scopes: [] } })).toEqual([
      { path: 'scopes[0]', kind: 'removed', before: 'x', after: undefined },
      { path: 'scopes', kind: 'added', before: undefined, after: '[]' },
    ]);
    expect(differences({})).toEqual([]);
  });
});
