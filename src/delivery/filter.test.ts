import { describe, expect, it } from 'vitest';
import type { LoggedEvent } from '../event/logged-event.ts';
import { matches, matchesAllThrough, withFilter } from './filter.ts';

const ALL = { categories: null, eventTypes: null, newCategories: true };
const place = { fromSequence: 1, cursor: 0, seen: ['gateway'] };

function event(eventCategory: string, eventType = 'auth.logout', sequence = 1): LoggedEvent {
  const times = { timestamp: 0, receivedAt: 0 };
  return { team: 't', sequence, id: 'e', eventType, eventCategory, ...times, json: '{}', bytes: 2 };
}

describe('a filter', () => {
  const chosen = { categories: ['authentication'], eventTypes: null, newCategories: true };
  it.each([
    ['everything', ALL, event('anything'), true],
    ['a chosen category', chosen, event('authentication'), true],
    ['a built-in category not chosen', chosen, event('api_access'), false],
    ['a category seen before but not chosen', chosen, event('gateway'), false],
    ['a category first seen later', chosen, event('billing'), true],
    ['a category first seen later, not wanted', { ...chosen, newCategories: false }, event('billing'), false],
    ['a chosen type', { ...ALL, eventTypes: ['auth.logout'] }, event('authentication'), true],
    ['another type', { ...ALL, eventTypes: ['auth.logout'] }, event('authentication', 'user.created'), false],
    ['a chosen type in another category', { ...chosen, eventTypes: ['auth.logout'] }, event('api_access'), false],
    ['nothing', { ...ALL, categories: [], newCategories: false }, event('authentication'), false],
  ])('judges %s', (_, filter, candidate, expected) => {
    expect(matches(withFilter([], filter, place), candidate)).toBe(expected);
  });

  it('has the version in effect at the sequence of the event', () => {
    const first = withFilter([], ALL, place);
    const filters = withFilter(first, chosen, { fromSequence: 10, cursor: 0, seen: [] });
    expect(matches(filters, event('api_access', 'x', 9))).toBe(true);
    expect(matches(filters, event('api_access', 'x', 10))).toBe(false);
  });

  it('knows how far everything matches without looking', () => {
    const first = withFilter([], ALL, place);
    const filters = withFilter(first, chosen, { fromSequence: 10, cursor: 0, seen: [] });
    const types = withFilter([], { ...ALL, eventTypes: ['x'] }, place);
    expect([matchesAllThrough(first, 4), matchesAllThrough(filters, 4), matchesAllThrough(filters, 9)]).toEqual([
      Infinity,
      9,
      9,
    ]);
    expect(matchesAllThrough(types, 4)).toBe(4);
  });

  it('drops old versions, but none under which something may wait', () => {
    let filters = withFilter([], ALL, place);
    for (let i = 2; i <= 300; i++) filters = withFilter(filters, ALL, { fromSequence: i, cursor: 50, seen: [] });
    expect(filters[0]!.fromSequence).toBe(51);
    for (let i = 301; i <= 400; i++) filters = withFilter(filters, ALL, { fromSequence: i, cursor: i - 2, seen: [] });
    expect(filters).toHaveLength(100);
  });

  it('replaces a version under which no event could come', () => {
    const filters = withFilter(withFilter([], ALL, place), chosen, place);
    expect(filters).toHaveLength(1);
    expect(matches(filters, event('api_access'))).toBe(false);
  });
});
