import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LATE_BYTES } from '../../event/late.ts';
import { AuditEvent } from '../../event/schema.ts';
import { ANY_EVENTS_AT, anyEvents } from '../any-events.ts';
import { sampleEvent, sampleEvents } from '../sample-events.ts';
import azureTemplate from './azure-template.json' with { type: 'json' };
import { encodeRows, OVERHEAD_BYTES } from './encode.ts';

const COLUMN_BYTES = 65_536;
const NOW = Date.UTC(2026, 0, 15, 12);
const WINDOW_MS = 2 * 24 * 3_600_000;

describe('an upload body', () => {
  it('is byte for byte the golden file', async () => {
    const first = sampleEvent({ id: '0198c5f0-0000-7000-8000-000000000001' });
    const second = sampleEvent({
      id: 'event-2',
      sequence: 2,
      timestamp: Date.UTC(2026, 11, 31, 23, 59, 59, 999),
      content: { description: 'line\nbreak, 日本語', metadata: { TimeGenerated: 1 } },
    });
    await expect(encodeRows([first, second], NOW).body.toString()).toMatchFileSnapshot('fixtures/rows.json');
  });

  it('is always an array of rows, each the event beside its time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (description, metadata) => {
          const event = sampleEvent({ content: { description, metadata } });
          const row = { TimeGenerated: '2026-01-15T10:30:00.000Z', ...JSON.parse(event.json) };
          expect(rowsOf([event])).toEqual([row]);
          expect(rowsOf([event, event, event])).toEqual([row, row, row]);
        },
      ),
    );
  });

  it('has of every event what its text has', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        // What may be cut is another test's.
        fc.pre(events.every(({ bytes }) => bytes <= COLUMN_BYTES - LATE_BYTES));
        const texts = events.map(({ json, timestamp }) => {
          const event = JSON.parse(json);
          const isLate = timestamp < ANY_EVENTS_AT - WINDOW_MS;
          const marked = isLate ? { ...event, trailproof: { ...event.trailproof, late: true } } : event;
          return `{"TimeGenerated":"${event.timestamp}",${JSON.stringify(marked).slice(1)}`;
        });
        expect(encodeRows(events, ANY_EVENTS_AT)).toEqual({ body: Buffer.from(`[${texts.join(',')}]`), unfit: [] });
      }),
    );
  });

  it.each([1, 2, 100])('adds no more to %i events than is reckoned with', (count) => {
    const events = sampleEvents(count);
    const bytes = events.reduce((sum, event) => sum + event.bytes + OVERHEAD_BYTES, 0);
    expect(encodeRows(events, NOW).body.length).toBeLessThanOrEqual(bytes);
  });

  it('cuts and marks an event of which Azure would cut a column unmarked', () => {
    const event = sampleEvent({ content: { metadata: { note: 'x'.repeat(COLUMN_BYTES) } } });
    const [row] = rowsOf([event]);
    expect(Buffer.byteLength(JSON.stringify(row.metadata))).toBeLessThanOrEqual(COLUMN_BYTES);
    expect(row).toMatchObject({ id: event.id, trailproof: { truncated: [{ path: 'metadata' }] } });
  });

  it.each([
    { age: 'just within the window', timestamp: NOW - WINDOW_MS, marks: undefined },
    { age: 'older', timestamp: NOW - WINDOW_MS - 1, marks: { late: true } },
  ])('marks an event whose time Azure will replace, and no other: $age', ({ timestamp, marks }) => {
    const [row] = rowsOf([sampleEvent({ timestamp })]);
    expect(row.trailproof).toEqual(marks);
    expect(row.timestamp).toBe(new Date(timestamp).toISOString());
  });

  it('leaves out an event of which no more can be cut, and names it', () => {
    const long = sampleEvent({ id: 'long', content: { actor: { id: 'x'.repeat(70_000) } } });
    const { body, unfit } = encodeRows([long, sampleEvent({ id: 'short' })], NOW);
    expect(JSON.parse(body.toString())).toMatchObject([{ id: 'short' }]);
    expect(unfit).toEqual(['long']);
  });

  it('leaves a large event whole when each of its columns fits', () => {
    const content = { description: 'x'.repeat(60_000), metadata: { note: 'y'.repeat(60_000) } };
    const event = sampleEvent({ content });
    expect(rowsOf([event])).toMatchObject([content]);
  });
});

function rowsOf(events: Parameters<typeof encodeRows>[0]) {
  return JSON.parse(encodeRows(events, NOW).body.toString());
}

describe('the Azure template of the guide', () => {
  const [table, rule] = azureTemplate.resources;

  it('declares a column for every field of an event', () => {
    const declared = rule?.properties.streamDeclarations?.['Custom-TrailproofAudit_CL'].columns.map(({ name }) => name);
    expect(declared?.sort()).toEqual(['TimeGenerated', ...Object.keys(AuditEvent.properties)].sort());
  });

  it('fills exactly the columns of the table, from fields that were declared', () => {
    const kql = rule?.properties.dataFlows?.[0]?.transformKql ?? '';
    const assigned = kql
      .replace('source | project ', '')
      .split(', ')
      .map((column) => column.split(' = '));
    expect(assigned.map(([column]) => column)).toEqual(table?.properties.schema?.columns.map(({ name }) => name));
    const sources = assigned.map(([column, from]) => (from ?? column ?? '').replace(/^tostring\((\w+)\.\w+\)$/, '$1'));
    expect([...new Set(sources)].sort()).toEqual(['TimeGenerated', ...Object.keys(AuditEvent.properties)].sort());
  });
});
