import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { seeded } from '../../../test/bench/load.ts';
import { Connection } from './connection.ts';
import { COUNT_IDS, EventIds, type KnownId } from './event-ids.ts';
import { migrate } from './migrations.ts';

let connection: Connection;
beforeEach(() => {
  connection = new Connection(':memory:', 1_000);
  migrate(connection);
});

function rows(table: 'event_id' | 'id_block'): number {
  return connection.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n;
}

function events(ids: readonly string[], first = 1): KnownId[] {
  return ids.map((id, i) => ({ id, sequence: first + i, hash: `hash-of-${id}` }));
}

/** As producers make them that count milliseconds. */
function growing(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `0199-${String(from + i).padStart(8, '0')}`);
}

describe('the ids of a team', () => {
  it('take a row for 256 of them when they grow, one of another form or out of order a row of its own', () => {
    const ids = new EventIds(connection, 1);
    ids.add(events([...growing(0, 255), 'used-1', ...growing(300, 256)]));
    expect([rows('id_block'), rows('event_id')]).toEqual([2, 1]);
    ids.add(events([...growing(290, 8), ...growing(900, 90)], 513));
    expect([rows('id_block'), rows('event_id')]).toEqual([3, 9]);
    ids.add(events(growing(2_000, 31), 700));
    expect([rows('id_block'), rows('event_id')]).toEqual([3, 40]);
    expect(connection.get(COUNT_IDS)).toEqual({ ids: 641 });
    expect(ids.find(growing(254, 1)[0]!)?.sequence).toBe(255);
    expect(ids.find('used-1')).toEqual({ id: 'used-1', sequence: 256, hash: 'hash-of-used-1' });
    expect(ids.find(growing(300, 1)[0]!)?.sequence).toBe(257);
    expect(ids.find(growing(297, 1)[0]!)?.sequence).toBe(520);
    expect(ids.find('0199-')).toBeUndefined();
    expect(ids.find('0199-0000000')).toBeUndefined();
  });

  it('are each a row when they are in no order', () => {
    const ids = new EventIds(connection, 1);
    const random = Array.from({ length: 1_024 }, (_, i) => Math.imul(i + 1, 0x9e3779b1).toString(16));
    for (let at = 0; at < 1_024; at += 256) ids.add(events(random.slice(at, at + 256), at + 1));
    expect([rows('id_block'), rows('event_id')]).toEqual([0, 1_024]);
    for (const { id, sequence } of events(random)) expect(ids.find(id)?.sequence).toBe(sequence);
  });

  it('stay in blocks when a producer is an hour ahead', () => {
    const ids = new EventIds(connection, 1);
    for (let at = 0; at < 1_024; at += 256)
      ids.add(events([...growing(5_000 + at, 128), ...growing(50_000 + at, 2), ...growing(5_128 + at, 126)], at + 1));
    expect([rows('id_block'), rows('event_id')]).toEqual([4, 8]);
  });

  it('need no look at the database while they grow, whatever other ids the team has', () => {
    const ids = new EventIds(connection, 1);
    ids.add(events([...growing(0, 200), 'used-1', 'used-2']));
    const reopened = new EventIds(connection, 1);
    for (const known of [ids, reopened]) {
      for (const id of growing(1_000, 20)) expect(known.find(id)).toBeUndefined();
      connection.exec('ALTER TABLE event_id RENAME TO away');
      for (const id of growing(2_000, 1_000)) expect(known.find(id)).toBeUndefined();
      expect(() => known.find('used-1')).toThrow();
      connection.exec('ALTER TABLE away RENAME TO event_id');
      expect(known.find('used-1')?.sequence).toBe(201);
    }
  });

  it('are those that were added and not deleted since, whatever their order', () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('add' as const),
          seed: fc.nat(),
          count: fc.integer({ min: 1, max: 600 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('delete' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12, size: 'max' }), (steps) => {
        connection.exec('DELETE FROM event_id; DELETE FROM id_block');
        const other = new EventIds(connection, 2);
        other.add(events([...growing(0, 300), 'used-7']));
        let ids = new EventIds(connection, 1);
        const model = new Map<string, KnownId>();
        let last = 0;
        let time = 1_000;
        for (const s of steps) {
          if (s.kind === 'reopen') ids = new EventIds(connection, 1);
          else if (s.kind === 'delete') {
            const gone = [...model.values()].slice(0, Math.floor(model.size * s.share));
            ids.delete(gone);
            for (const { id } of gone) model.delete(id);
            for (const { id } of gone) expect(ids.find(id)).toBeUndefined();
          } else {
            const random = seeded(s.seed);
            const added: KnownId[] = [];
            for (let i = 0; i < s.count; i++) {
              const kind = random();
              time = Math.max(0, time + Math.floor(random() * 26) - 6);
              const at = kind < 0.05 ? Math.floor(random() * 9_000) : time;
              const name = kind > 0.97 ? `used-${Math.floor(random() * 50)}` : growing(at, 1)[0]!;
              const known = model.get(name);
              if (known && known.sequence > last - added.length) continue;
              expect(ids.find(name)).toEqual(known);
              if (known) continue;
              last += 1;
              const event = { id: name, sequence: last, hash: `h${last}` };
              added.push(event);
              model.set(name, event);
            }
            if (added.length === 0) continue;
            ids.add(added);
          }
          for (const event of model.values()) expect(ids.find(event.id)).toEqual(event);
          expect(connection.get(COUNT_IDS)).toEqual({ ids: model.size + 301 });
        }
      }),
      { numRuns: 30 },
    );
  });
});
