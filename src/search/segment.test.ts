import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoggedEvent, type NewEvent, withPlace } from '../event/logged-event.ts';
import { type Column, codesIn, encodeColumn, findValues, joinColumns, PIECE_EVENTS } from './column.ts';
import { compileQuery, conditionsOf, type FieldName } from './match.ts';
import { anyQuery, holds, randomEvent } from './oracle.ts';
import type { EventQuery } from './search.ts';
import {
  type Columns,
  decodeTimes,
  FIELD_NAMES,
  findConditions,
  keepMatches,
  markAll,
  SegmentBuilder,
} from './segment.ts';
import { Values } from './values.ts';

function logged(event: NewEvent, sequence: number): LoggedEvent {
  const json = withPlace(event.json, sequence, event.timestamp);
  return { ...event, sequence, receivedAt: event.timestamp, json, bytes: Buffer.byteLength(json) };
}

function segmentOf(seed: number, count: number) {
  const building = new SegmentBuilder();
  const events = Array.from({ length: count }, (_, i) => {
    const event = logged(randomEvent('a', seed, i), i + 1);
    building.add(event);
    return event;
  });
  return { events, segment: building.finish() };
}

/** As SQLite hands them over: each in memory of its own. */
function columnsOf(columns: readonly Column[]): Columns {
  const of = (field: FieldName): Column => columns[FIELD_NAMES.indexOf(field)]!;
  return {
    text: (field) => Buffer.from(of(field).text),
    starts: (field) => of(field).starts,
    codes: (field, piece) => bytesOf(of(field).codes[piece]!),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Uint8Array {
  return Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength));
}

describe('a query', () => {
  it('means the same to events in memory, to a segment, and by the rules', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 300 }),
        fc.array(anyQuery, { minLength: 30, maxLength: 30 }),
        (seed, count, queries) => {
          const { events, segment } = segmentOf(seed, count);
          const columns = columnsOf(segment.columns);
          const parsed = events.map(({ json }) => JSON.parse(json));
          for (const query of queries) {
            const expected = parsed.map((event) => holds(query, event));
            expect(events.map(compileQuery(query))).toEqual(expected);
            const { from: _, to: __, ...untimed } = query;
            const marks = markAll(count);
            for (let i = seed % 9; i < count; i += 1 + (i % (1 + (seed % 5)))) marks[i] = 0;
            const wanted = parsed.map((event, i) => marks[i] === 1 && holds(untimed, event));
            keepMatches(marks, 0, findConditions(conditionsOf(query), columns), columns);
            expect([...marks].map(Boolean)).toEqual(wanted);
            found += expected.filter(Boolean).length;
          }
        },
      ),
      { numRuns: 40, endOnFailure: true },
    );
    // Queries and events that never meet would agree about nothing.
    expect(found).toBeGreaterThan(5000);
  });

  it.each<[string, EventQuery, string, boolean]>([
    ['final sigma within a word', { q: 'ΟΔΟΣ' }, '"description":"ΟΔΟΣΑ"', true],
    ['composed for decomposed', { actor: ['josé'] }, '"actor":{"name":"JOSE\u0301"}', true],
    ['another id by case', { actor: ['U-1'] }, '"actor":{"id":"u-1"}', false],
    [
      'a long id',
      { target: ['0192-4e1f-77aa-0123456789abcdef'] },
      '"target":{"id":"0192-4e1f-77aa-0123456789abcdef"}',
      true,
    ],
    [
      'a long id by part',
      { target: ['0192-4e1f-77aa-0123456789abcde'] },
      '"target":{"id":"0192-4e1f-77aa-0123456789abcdef"}',
      false,
    ],
    ['an id in free text', { q: 'u-1' }, '"actor":{"id":"u-1"}', false],
    ['a name by part where the whole is asked', { actor: ['ada'] }, '"actor":{"name":"Ada L"}', false],
    ['text over the edge of two values', { q: 'aa' }, '"actor":{"name":"a","email":"a"}', false],
  ])('on %s', (_, query, fields, expected) => {
    const timestamp = '2026-01-01T00:00:00.000Z';
    const known = '"id":"e","version":"1.0","eventType":"t","eventCategory":"c","status":"success"';
    for (const rest of [`${known},${fields},"context":{"teamId":"a"}`, `"context":{"teamId":"a"},${fields},${known}`]) {
      const json = `{"timestamp":"${timestamp}",${rest}}`;
      const event = { team: 'a', id: 'e', eventType: 't', eventCategory: 'c', hash: '', json };
      expect(compileQuery(query)(logged({ ...event, timestamp: Date.parse(timestamp) }, 1))).toBe(expected);
      expect(holds(query, JSON.parse(json))).toBe(expected);
    }
  });
});

describe('segments that are joined', () => {
  it('answer as each of them did, also without their oldest events', () => {
    const values = new Values();
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
        fc.nat(99),
        fc.array(anyQuery, { minLength: 10, maxLength: 10 }),
        (seed, counts, percent, queries) => {
          const segments = counts.map((count, i) => ({ count, ...segmentOf(seed + i, count) }));
          const from = Math.floor((counts[0]! * percent) / 100);
          const events = segments.flatMap((segment) => segment.events).slice(from);
          const columns = FIELD_NAMES.map((_, i) => {
            const parts = segments.map(({ count, segment }, at) => {
              const { text, starts, codes } = segment.columns[i]!;
              const own = { text: Buffer.from(text), starts, codes: (piece: number) => bytesOf(codes[piece]!) };
              return { ...own, events: count, from: at === 0 ? from : 0 };
            });
            const column = joinColumns(values, events.length, parts);
            return { ...column, text: Buffer.from(column.text) };
          });
          const joined = columnsOf(columns);
          const parsed = events.map(({ json }) => JSON.parse(json));
          for (const { from: _, to: __, ...query } of queries) {
            const marks = markAll(events.length);
            keepMatches(marks, 0, findConditions(conditionsOf(query), joined), joined);
            expect([...marks].map(Boolean)).toEqual(parsed.map((event) => holds(query, event)));
          }
          // What no event has any more is not kept.
          const descriptions = new Set(parsed.map(({ description }) => description).filter(Boolean));
          const kept = Buffer.from(columns[FIELD_NAMES.indexOf('description')]!.text).toString();
          expect(kept.split('\0').filter(Boolean)).toHaveLength(descriptions.size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('find any of very many values', () => {
    const texts = Array.from({ length: 70_000 }, (_, i) => `value ${i}${'x'.repeat((i * 7) % 9)}`);
    const text = Buffer.from(`\0${texts.join('\0')}\0`);
    const { starts, codes } = encodeColumn(
      text,
      texts.length,
      Uint32Array.from(texts, (_, i) => i + 1),
    );
    for (const needle of ['value 7', 'x', '\0value 69999', '9xx\0', 'e 4096x']) {
      const wanted = findValues(text, [needle, 'value 0'], () => starts)!;
      const expected = texts.map((value) => Number(`\0${value}\0`.includes(needle) || value.includes('value 0')));
      expect([...wanted.subarray(1)]).toEqual(expected);
    }
    expect(findValues(text, ['nothing'], () => expect.fail('no codes are needed'))).toBeUndefined();
    expect(codes.flatMap((piece) => [...piece])).toEqual(texts.map((_, i) => i + 1));
  });

  it('have codes in pieces, of whatever pieces the parts had', () => {
    const counts = [3 * PIECE_EVENTS - 10, 5, PIECE_EVENTS + 1];
    const from = PIECE_EVENTS + 7;
    // By part, which value (0: none) an event has: 200 in the first, more in the others.
    const numberOf = (part: number, event: number): number => (event * 7 + part) % (part === 0 ? 201 : 301);
    const parts = counts.map((events, part) => {
      const text = Buffer.from(`\0${Array.from({ length: 300 }, (_, i) => `value ${i + 1}`).join('\0')}\0`);
      const column = encodeColumn(
        text,
        300,
        Uint16Array.from({ length: events }, (_, i) => numberOf(part, i)),
      );
      const codes = (piece: number): Uint8Array => bytesOf(column.codes[piece]!);
      return { text, starts: column.starts, codes, events, from: part === 0 ? from : 0 };
    });
    const expected = counts.flatMap((events, part) =>
      Array.from({ length: events }, (_, i) => numberOf(part, i)).slice(part === 0 ? from : 0),
    );
    const { text, starts, codes } = joinColumns(new Values(), expected.length, parts);
    const names = text.toString().split('\0').slice(1, -1);
    expect(starts[0]).toBe(names.length);
    expect(codes.map(({ length }) => length)).toEqual([PIECE_EVENTS, PIECE_EVENTS, PIECE_EVENTS - 11]);
    const found = codes.flatMap((piece) => [...codesIn(bytesOf(piece), starts[0]!)]);
    expect(found.map((code) => (code === 0 ? 0 : Number(names[code - 1]!.slice(6))))).toEqual(expected);
  });
});

describe('a segment', () => {
  it('keeps the time of each event, wide apart or near', () => {
    for (const [seed, count] of [
      [1, 300],
      [2, 2],
    ] as const) {
      const { events, segment } = segmentOf(seed, count);
      const { base, values } = decodeTimes(segment.times[0]!, count, segment.periods[0]!);
      expect(events.map((__, i) => base + values[i]!)).toEqual(events.map((event) => event.timestamp));
    }
  });

  it('is the same when it is built where another was', () => {
    const reused = new SegmentBuilder();
    for (const [seed, count] of [
      [1, 4096],
      [2, 300],
      [3, 4000],
    ] as const) {
      const events = Array.from({ length: count }, (_, i) => logged(randomEvent('a', seed, i), i + 1));
      const fresh = new SegmentBuilder();
      reused.clear();
      for (const builder of [reused, fresh]) for (const event of events) builder.add(event);
      expect(reused.finish()).toEqual(fresh.finish());
    }
  });

  it('is full early when its events carry long texts', () => {
    const building = new SegmentBuilder();
    let count = 0;
    for (; !building.isFull(); count++) {
      const event = randomEvent('a', 1, count);
      const json = JSON.stringify({ ...JSON.parse(event.json), description: `${count} ${'x'.repeat(200_000)}` });
      building.add({ ...event, sequence: count + 1, receivedAt: 0, json, bytes: json.length });
    }
    expect(count).toBe(42);
  });
});
