import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTimestamp } from './timestamp.ts';

describe('a timestamp', () => {
  it.each([
    ['2026-01-15T10:30:00.000Z', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15T10:30:00Z', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15T10:30Z', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15t10:30:00z', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15 08:00:00.582848', '2026-01-15T08:00:00.582Z'],
    ['2026-01-15 08:00:00', '2026-01-15T08:00:00.000Z'],
    ['2026-01-15T10:30:00', '2026-01-15T10:30:00.000Z'],
    ['2026-01-15T10:30:00,5Z', '2026-01-15T10:30:00.500Z'],
    ['2026-01-15T10:30:00.9999999999Z', '2026-01-15T10:30:00.999Z'],
    ['2026-01-15T10:30:00+02:00', '2026-01-15T08:30:00.000Z'],
    ['2026-01-15T10:30:00-0330', '2026-01-15T14:00:00.000Z'],
    ['2026-01-15T10:30:00+02', '2026-01-15T08:30:00.000Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, iso) => {
    expect(parseTimestamp(text)).toEqual({ at: Date.parse(iso), iso });
  });

  it.each([
    ...['2026-02-29T00:00:00Z', '2026-02-30 00:00:00', '2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z'],
    ...['2026-04-31T00:00:00Z', '2026-01-15T24:00:00Z', '2026-01-15T10:60:00Z', '2026-01-15T10:30:61Z'],
    ...['2026-01-15T10:30:00+24:00', '2026-01-15T10:30:00+02:60', '0000-01-01T00:00:00+01:00'],
    ...['9999-12-31T23:59:59-01:00', '10000-01-01T00:00:00Z', '+002026-01-15T10:30:00Z', '-000001-01-01T00:00:00Z'],
    ...['1768473000', '1768473000000', '2026-01-15', '10:30:00', '15.01.2026 10:30:00', 'yesterday', ''],
    ...[' 2026-01-15T10:30:00Z', '2026-01-15T10:30:00Z\n', '2026-01-15T10:30:00.Z', '٢٠٢٦-01-15T10:30:00Z'],
  ])('%j is refused', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it('is the same instant at every offset', () => {
    const instant = fc.date({ min: new Date('0001-01-01'), max: new Date('9998-12-31'), noInvalidDate: true });
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(instant, offset, (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const hhmm = [Math.abs(minutes) / 60, Math.abs(minutes) % 60].map((n) =>
          String(Math.floor(n)).padStart(2, '0'),
        );
        expect(parseTimestamp(`${local}${minutes < 0 ? '-' : '+'}${hhmm.join(':')}`)?.iso).toBe(date.toISOString());
      }),
    );
  });

  it('is judged alike, whatever day was read before', () => {
    const part = (most: number) => fc.nat({ max: most }).map((n) => String(n).padStart(2, '0'));
    const time = fc.record({
      day: part(32),
      hours: part(25),
      minutes: part(61),
      seconds: part(61),
      end: fc.constantFrom(...'Zz0 '),
    });
    fc.assert(
      fc.property(time, ({ day, hours, minutes, seconds, end }) => {
        const text = `2026-02-${day}T${hours}:${minutes}:${seconds}.123${end}`;
        parseTimestamp('2020-01-01T00:00:00Z');
        const first = parseTimestamp(text);
        parseTimestamp(`2026-02-${day}T00:00:00Z`);
        expect(parseTimestamp(text)).toEqual(first);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseTimestamp(text)));
  });
});
