import { describe, expect, it } from 'vitest';
import { NO_FILTER } from './filter.ts';
import { conditionInWords, filterInWords, rangeInWords } from './filter-words.ts';

const words = {
  types: new Map([['auth.login.failure', 'Sign-in refused']]),
  categories: new Map([['authentication', 'Authentication']]),
};

describe('a filter in words', () => {
  it('names its range', () => {
    expect(rangeInWords({ last: '24h' })).toBe('Last 24 hours');
    expect(rangeInWords({ last: '1h' })).toBe('Last hour');
    expect(rangeInWords({})).toBe('All time');
    expect(rangeInWords({ from: '2020-05-01T10:00:00Z', to: '2020-05-01T11:30:00Z' })).toBe(
      '1 May 2020 10:00 to 11:30 UTC',
    );
    expect(rangeInWords({ from: '2020-05-01T10:00:07Z', to: '2020-05-02T11:30:00Z' })).toBe(
      '1 May 2020 10:00:07 to 2 May 2020 11:30 UTC',
    );
    expect(rangeInWords({ from: '2020-05-01T10:00:00Z' })).toBe('Since 1 May 2020 10:00 UTC');
    expect(rangeInWords({ to: '2020-05-01T10:00:00Z' })).toBe('Before 1 May 2020 10:00 UTC');
  });

  it('says all its conditions, with titles where there are some', () => {
    const filter = {
      ...NO_FILTER,
      ...{ eventType: ['auth.login.failure', 'own.type'], category: ['authentication'], status: ['failure'] },
      ...{ actor: ['ana@acme.com'], target: ['crm'], ip: ['203.0.113.7', '10.0.0.0/8'], q: 'vpn' },
    };
    expect(filterInWords(filter, words)).toBe(
      'Sign-in refused or own.type, Authentication, failures, by ana@acme.com, on crm, from 203.0.113.7 or 10.0.0.0/8, ' +
        'with “vpn”, last 24 hours',
    );
    expect(filterInWords(NO_FILTER, words)).toBe('Last 24 hours');
  });

  it('shows on a condition’s button what is chosen', () => {
    expect(conditionInWords('Category', [])).toBe('Category');
    expect(conditionInWords('Category', ['SSO', 'API', 'x'])).toBe('Category: SSO +2');
  });
});
