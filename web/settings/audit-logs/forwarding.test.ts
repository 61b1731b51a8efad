import { describe, expect, it } from 'vitest';
import { changedInWords, filterOfSwitches, switchesOf } from './forwarding.ts';

const CATEGORIES = ['authentication', 'api_access', 'gateway'];
const kept = (
  categories: string[] | null,
  newCategories = true,
  knownCategories = ['authentication', 'api_access'],
) => ({
  ...{ categories, newCategories, knownCategories, eventTypes: null },
});

describe('the switches of a destination', () => {
  it('are all on when everything is forwarded, which stays that without a list', () => {
    const switches = switchesOf(kept(null, false), CATEGORIES);
    expect(switches).toEqual({ on: new Set(CATEGORIES), newCategories: true });
    expect(filterOfSwitches(switches, CATEGORIES)).toEqual({ categories: null, newCategories: true });
  });

  it('are on for a category that came after the list was saved, if new ones are forwarded', () => {
    expect(switchesOf(kept(['api_access']), CATEGORIES).on).toEqual(new Set(['api_access', 'gateway']));
    expect(switchesOf(kept(['api_access'], false), CATEGORIES).on).toEqual(new Set(['api_access']));
    expect(switchesOf(kept(['api_access'], true, CATEGORIES), CATEGORIES).on).toEqual(new Set(['api_access']));
  });

  it('become a list as soon as anything is off', () => {
    const off = { on: new Set(['gateway']), newCategories: true };
    expect(filterOfSwitches(off, CATEGORIES)).toEqual({ categories: ['gateway'], newCategories: true });
    const closed = { on: new Set(CATEGORIES), newCategories: false };
    expect(filterOfSwitches(closed, CATEGORIES)).toEqual({ categories: CATEGORIES, newCategories: false });
  });

  it('say what saving would change', () => {
    const labelled = CATEGORIES.map((value) => ({ value, label: value.toUpperCase() }));
    const before = { on: new Set(['authentication']), newCategories: true };
    expect(changedInWords(before, before, labelled)).toEqual([]);
    expect(changedInWords(before, { on: new Set(['gateway']), newCategories: false }, labelled)).toEqual([
      'starts to get GATEWAY',
      'no longer gets AUTHENTICATION',
      'no longer gets categories not seen before',
    ]);
  });
});
