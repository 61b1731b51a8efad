import { expect, it } from 'vitest';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { marksOf } from './marks.ts';

const EVENT: StoredEvent = {
  ...{ timestamp: '2026-11-22T12:00:00.000Z', sequence: 1, receivedAt: '2026-11-22T10:00:00.000Z', id: 'e-1' },
  ...{ version: '1.0', eventType: 'x', eventCategory: 'y', status: 'success', context: { teamId: 'acme' } },
};

it('says every mark in words', () => {
  const trailproof = {
    clock: 'future' as const,
    replacedCharacters: 2,
    unknownFields: { 'actor.department': 'IT' },
    truncated: [{ path: 'metadata', bytes: 70_000 }],
  };
  const marks = marksOf({ ...EVENT, trailproof });
  expect(marks).toHaveLength(4);
  expect(marks[0]).toContain('clock was ahead');
  expect(marks[1]).toContain('2 characters');
  expect(marks[2]).toContain('1 field outside of the schema, kept as they came: actor.department');
  expect(marks[3]).toContain('metadata (70.0 kB) was cut');
  expect(marksOf({ ...EVENT, trailproof: { clock: 'past' } })[0]).toContain('more than a year old');
});

it('says nothing about an event without marks', () => {
  expect(marksOf(EVENT)).toEqual([]);
});
