import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuditEvent } from '../../event/schema.ts';
import { anyEvents } from '../any-events.ts';
import { sampleEvent } from '../sample-events.ts';
import { EVENT_BYTES, encodeBulk, OVERHEAD_BYTES } from './encode.ts';
import indexTemplate from './index-template.json' with { type: 'json' };

describe('a bulk body', () => {
  it('is byte for byte the golden file', async () => {
    const first = sampleEvent({ id: '0198c5f0-0000-7000-8000-000000000001' });
    const second = sampleEvent({
      id: 'quote"and\\backslash',
      sequence: 2,
      timestamp: Date.UTC(2026, 11, 31, 23, 59, 59, 999),
      content: { description: 'line\nbreak, 日本語, "@timestamp"', metadata: { '@timestamp': 1 } },
    });
    await expect(encodeBulk([first, second]).toString()).toMatchFileSnapshot('fixtures/bulk.ndjson');
  });

  it('is lines of JSON, two per event, whose document is the event beside its time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (description, metadata) => {
          const event = sampleEvent({ content: { description, metadata } });
          const lines = encodeBulk([event, event]).toString().split('\n');
          expect(lines.pop()).toBe('');
          expect(lines.map((line) => JSON.parse(line))).toEqual(
            [0, 1].flatMap(() => [
              { create: { _id: event.id } },
              { '@timestamp': '2026-01-15T10:30:00.000Z', ...JSON.parse(event.json) },
            ]),
          );
        },
      ),
    );
  });

  it('has of every event what its text has', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const texts = events.map(({ id, json }) => {
          const { timestamp } = JSON.parse(json);
          return `{"create":{"_id":${JSON.stringify(id)}}}\n{"@timestamp":"${timestamp}",${json.slice(1)}\n`;
        });
        expect(encodeBulk(events).toString()).toBe(texts.join(''));
      }),
    );
  });

  it('adds no more to an event than is reckoned with, whatever its id', () => {
    const event = sampleEvent({ id: '"'.repeat(128) });
    expect(encodeBulk([event]).length - event.bytes).toBe(OVERHEAD_BYTES);
  });

  it('cuts an event that would be too large, and marks it', () => {
    const body = encodeBulk([sampleEvent({ content: { description: 'é'.repeat(EVENT_BYTES) } })]);
    expect(body.length).toBeLessThanOrEqual(EVENT_BYTES);
    expect(JSON.parse(body.toString().split('\n')[1]!)).toMatchObject({
      trailproof: { truncated: [{ path: 'description' }] },
    });
  });
});

describe('the index template of the guide', () => {
  it('types every field of an event, and lets no event change the mapping', () => {
    const { mappings } = indexTemplate.template;
    expect(Object.keys(mappings.properties).sort()).toEqual(
      ['@timestamp', ...Object.keys(AuditEvent.properties)].sort(),
    );
    for (const part of ['actor', 'target', 'context'] as const)
      expect(Object.keys(mappings.properties[part].properties).sort()).toEqual(
        Object.keys(AuditEvent.properties[part].properties).sort(),
      );
    expect(mappings).toMatchObject({ dynamic: false, date_detection: false });
  });
});
