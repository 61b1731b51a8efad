import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandsOf, columnsOf, niceMax, rangeOf, type StateEvent, summaryOf } from './timeline.ts';

const NOW = Date.parse('2026-11-22T10:42:30.000Z');
const at = (time: string) => Date.parse(`2026-11-22T${time}.000Z`);

describe('columnsOf', () => {
  it('has a column for every step of the range, the last with now in it', () => {
    const columns = columnsOf([], '1h', NOW);
    expect(columns).toHaveLength(60);
    expect(columns.at(-1)!.at).toBe(at('10:42:00'));
    expect(columnsOf([], '24h', NOW)).toHaveLength(96);
    expect(columnsOf([], '30d', NOW)).toHaveLength(90);
  });

  it('adds up what falls into a column, and takes its longest lag', () => {
    const bucket = (time: string, delivered: number, failed: number, lagSeconds: number | null) => ({
      ...{ at: `2026-11-22T${time}.000Z`, delivered, failed, lagSeconds },
    });
    const columns = columnsOf(
      [bucket('10:31:00', 3, 0, 2), bucket('10:35:00', 4, 1, 9), bucket('10:40:00', 0, 1, null)],
      '24h',
      NOW,
    );
    expect(columns.at(-1)).toEqual({ at: at('10:30:00'), delivered: 7, failed: 2, lagSeconds: 9 });
  });

  it('loses nothing that lies in the range', () => {
    const bucket = fc.record({
      ago: fc.integer({ min: 0, max: 6 * 24 * 60 }),
      delivered: fc.nat(1000),
      failed: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(bucket), (buckets) => {
        const given = buckets.map(({ ago, delivered, failed }) => {
          return { at: new Date(NOW - ago * 60_000).toISOString(), delivered, failed, lagSeconds: null };
        });
        const sum = (list: readonly { delivered: number; failed: number }[]) =>
          list.reduce((total, { delivered, failed }) => total + delivered + failed, 0);
        expect(sum(columnsOf(given, '7d', NOW))).toBe(sum(given));
      }),
    );
  });
});

describe('bandsOf', () => {
  const change = (time: string, previous: string, current: string): StateEvent =>
    JSON.parse(
      JSON.stringify({
        timestamp: `2026-11-22T${time}.000Z`,
        eventType: 'siem.destination.state_changed',
        changes: { previous: { state: previous }, current: { state: current } },
      }),
    );
  const present = { state: 'connected', since: at('10:00:00'), createdAt: 0 } as const;
  const shown = (bands: ReturnType<typeof bandsOf>) =>
    bands.map(
      ({ from, to, state }) =>
        `${new Date(from).toISOString().slice(11, 16)} ${new Date(to).toISOString().slice(11, 16)} ${state}`,
    );

  it('is one band where nothing changed', () => {
    expect(shown(bandsOf([], present, at('09:00:00'), NOW))).toEqual(['09:00 10:42 connected']);
  });

  it('follows the changes, in whatever order they come', () => {
    const events = [change('10:20:00', 'disconnected', 'connected'), change('10:10:00', 'connected', 'disconnected')];
    expect(shown(bandsOf(events, present, at('10:00:00'), NOW))).toEqual([
      '10:00 10:10 connected',
      '10:10 10:20 disconnected',
      '10:20 10:42 connected',
    ]);
  });

  it('ends with the present state, even where no event has told it yet', () => {
    const now = { ...present, state: 'retrying', since: at('10:41:00') } as const;
    const events = [change('10:10:00', 'pending', 'connected')];
    expect(shown(bandsOf(events, now, at('10:00:00'), NOW))).toEqual([
      '10:00 10:10 pending',
      '10:10 10:41 connected',
      '10:41 10:42 retrying',
    ]);
  });

  it('shows nothing before the destination was there', () => {
    expect(shown(bandsOf([], { ...present, createdAt: at('10:30:00') }, at('10:00:00'), NOW))).toEqual([
      '10:30 10:42 connected',
    ]);
  });

  it('knows pauses', () => {
    const event = (time: string, eventType: string) => ({ timestamp: `2026-11-22T${time}.000Z`, eventType });
    const events = [event('10:10:00', 'siem.destination.paused'), event('10:20:00', 'siem.destination.resumed')];
    expect(shown(bandsOf(events, present, at('10:00:00'), NOW))[1]).toBe('10:10 10:20 paused');
  });
});

it('rounds scales up to what one can read', () => {
  expect([0, 1, 3, 7, 10, 11, 499, 1200].map(niceMax)).toEqual([1, 1, 5, 10, 10, 20, 500, 2000]);
});

it('takes a range from the address, otherwise a day, or an hour where there is no more', () => {
  expect([rangeOf('7d'), rangeOf('9y'), rangeOf(undefined)]).toEqual(['7d', '24h', '24h']);
  expect([rangeOf(undefined, 60_000), rangeOf('30d', 60_000)]).toEqual(['1h', '30d']);
});

it('says the chart in words', () => {
  const columns = [{ at: 0, delivered: 12, failed: 1, lagSeconds: 95 }];
  const bands = [{ from: 0, to: 600_000, state: 'disconnected' }] as const;
  expect(summaryOf(columns, bands, '1h')).toBe(
    'In the last hour: 12 events delivered, 1 attempt failed. No event waited longer than 95 s. It was not well for 10 min: Disconnected.',
  );
});
