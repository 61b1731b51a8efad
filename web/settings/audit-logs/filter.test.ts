import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSearch, stringifySearch } from '../../app/search.ts';
import { conditionsIn, type Filter, filterOf, NO_FILTER, queryOf, type Range, reachesNow, searchOf } from './filter.ts';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const words = fc.array(fc.string({ minLength: 1 }), { maxLength: 3 });
const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const range: fc.Arbitrary<Range> = fc.oneof(
  fc.constantFrom('15m', '1h', '24h', '7d', '400d').map((last) => ({ last })),
  fc.record({ from: time, to: time }, { requiredKeys: [] }),
);
const filters: fc.Arbitrary<Filter> = fc.record({
  ...{ category: words, eventType: words, actor: words, target: words, ip: words, range, q: fc.string() },
  status: fc.subarray(['success', 'failure']),
});

describe('the filter in the address', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(filterOf(parseSearch(stringifySearch(searchOf(filter)).slice(1)))).toEqual(filter);
      }),
    );
  });

  it('is empty when nothing is looked for', () => {
    expect(searchOf(NO_FILTER)).toEqual({});
  });

  it('takes what it cannot mean for not there', () => {
    const filter = filterOf({ range: 'yesterday', status: ['failure', 'odd'], from: '2026-02-31T99:99', event: 'e-1' });
    expect(filter).toEqual({ ...NO_FILTER, status: ['failure'] });
  });

  it('keeps relative ranges relative, and asks the API for their times', () => {
    const filter = filterOf({ range: '7d', ip: '10.0.0.0/8' });
    expect(searchOf(filter)).toEqual({ range: '7d', ip: ['10.0.0.0/8'] });
    expect(queryOf(filter, NOW)).toMatchObject({ from: '2026-11-15T12:00:00.000Z', ip: ['10.0.0.0/8'] });
    expect(queryOf(filter, NOW)).not.toHaveProperty('to');
  });

  it('asks for all time without times', () => {
    expect(queryOf(filterOf({ range: 'all' }), NOW)).toEqual(expect.not.objectContaining({ from: expect.anything() }));
  });

  it('knows which ranges go on', () => {
    expect(reachesNow({ last: '1h' }, NOW)).toBe(true);
    expect(reachesNow({}, NOW)).toBe(true);
    expect(reachesNow({ to: '2026-11-22T12:00:01Z' }, NOW)).toBe(true);
    expect(reachesNow({ to: '2026-11-22T12:00:00Z' }, NOW)).toBe(false);
  });

  it('counts its conditions', () => {
    expect(conditionsIn(NO_FILTER)).toBe(0);
    expect(conditionsIn({ ...NO_FILTER, category: ['a', 'b'], q: 'x', range: {} })).toBe(3);
  });
});
