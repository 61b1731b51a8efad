import { describe, expect, it } from 'vitest';
import { type LoggedEvent, plainEvent } from '../../event/logged-event.ts';
import { countTo, NOON, newEvents } from '../conformance-fixture.ts';
import { createTexts, directoryOf, pack, Row } from './row.ts';

const COUNTS = [1, 31, 32, 256];

function logged(count: number, content: string): LoggedEvent[] {
  return newEvents('a', count, `${content}-`).map(({ id, eventType, eventCategory, timestamp, json }, i) => ({
    ...{ team: 'a', sequence: 10 + i, id, eventType, eventCategory, timestamp, receivedAt: NOON + i, json },
    bytes: Buffer.byteLength(json),
  }));
}

function bodyOf(events: readonly LoggedEvent[]): string | Uint8Array {
  return pack(directoryOf(events), events);
}

describe('a row', () => {
  it('gives back what was packed, in ASCII and beyond', () => {
    for (const count of COUNTS)
      for (const content of ['plain', 'Grüße 世界 🎉']) {
        const events = logged(count, content);
        const row = new Row(bodyOf(events), createTexts());
        const read = row.events({ team: 'a', first: 10, from: 0, count });
        expect(read.map(plainEvent)).toEqual(events);
        const target = Buffer.alloc(events.reduce((sum, { bytes }) => sum + bytes, 0));
        read.reduce((at, event) => at + event.copyTo!(target, at), 0);
        expect(target.toString()).toBe(events.map(({ json }) => json).join(''));
      }
  });

  it('can be read although the texts of hundreds were unpacked since', () => {
    const events = logged(256, 'x'.repeat(700));
    const body = bodyOf(events);
    const texts = createTexts();
    const rows = countTo(100).map((n) => new Row(body, texts).events({ team: 'a', first: n, from: 0, count: 256 }));
    expect(texts.size).toBeLessThan(40);
    for (const [n, row] of rows.entries()) expect(row[n]!.json).toBe(events[n]!.json);
    expect(texts.calculatedSize).toBeLessThan(8 * 1024 * 1024);
  });

  it('is refused when its events do not lie where its head says', () => {
    const events = logged(3, 'plain');
    const body = String(bodyOf(events));
    for (const broken of [body.slice(0, -1), `${body}x`, body.replace('"bytes":[', '"bytes":[1'), '', '{}', 'x'])
      expect(() => new Row(broken, createTexts())).toThrow();
  });
});
