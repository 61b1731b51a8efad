import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NewEvent, TeamId } from '../../event/logged-event.ts';
import { NOON, newEvent, newEvents } from '../conformance-fixture.ts';
import { StorageDamaged } from '../event-log.ts';
import { Connection } from './connection.ts';
import { COUNT_IDS } from './event-ids.ts';
import { LogReader } from './log-reader.ts';
import { JOURNAL_MS, LogWriter } from './log-writer.ts';
import { migrate } from './migrations.ts';
import type { Reread } from './tail-event.ts';

const EVERYTHING = { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
const TEAMS = ['a', 'b', 'c'];

let connection: Connection;
let log: LogWriter;
let reader: LogReader;
let now: number;

beforeEach(() => {
  connection = new Connection(':memory:', 1_000);
  migrate(connection);
  now = NOON;
  reader = new LogReader(connection);
  restart();
});

/** As after a crash, or a commit whose end is not known. */
function restart(): void {
  const reread: Reread = (team, sequence) => reader.reread(team, sequence);
  log = new LogWriter(connection, { now: () => now }, { defaultRetentionDays: 365, tailBytes: 10_000, reread });
}

function commit(events: readonly NewEvent[]) {
  const outcomes = log.append(events);
  log.flush();
  log.committed();
  return outcomes;
}

function rows(table: 'journal' | 'chunk'): number {
  return connection.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n;
}

function ids(): number {
  return connection.get<{ ids: number }>(COUNT_IDS)!.ids;
}

function idsOf(team: TeamId): string[] {
  return reader.read(team, 0, EVERYTHING).map(({ id }) => id);
}

function ofAll(count: number, prefix: string): NewEvent[] {
  return TEAMS.flatMap((team) => newEvents(team, count, prefix));
}

describe('the journal', () => {
  it('holds a commit of many teams in one row, and readers find all of it', () => {
    commit(ofAll(8, 'first-'));
    commit(ofAll(8, 'second-'));
    expect([rows('journal'), rows('chunk'), ids()]).toEqual([2, 0, 0]);
    expect(reader.bounds('b')).toEqual({ first: 1, last: 16 });
    expect(reader.teams()).toEqual(TEAMS.map((team) => ({ team, last: 16 })));
    expect(reader.read('b', 6, { events: 4, bytes: 1e6 }).map(({ id }) => id)).toEqual([
      'first-7',
      'first-8',
      'second-1',
      'second-2',
    ]);
    expect(reader.find('c', 'second-3')?.sequence).toBe(11);
    expect(reader.find('c', 'second-9')).toBeUndefined();
    expect(reader.firstReceivedSince('a', NOON)).toBe(1);
    expect(reader.firstReceivedSince('a', NOON + 1)).toBe(17);
  });

  it('lets go of what fills rows; the rest stays in it', () => {
    commit(ofAll(100, 'first-'));
    commit(newEvents('a', 200, 'second-'));
    // 256 of 300 have moved, 44 are in the second row; the first goes when b and c have moved.
    expect([rows('journal'), rows('chunk'), ids()]).toEqual([2, 1, 256]);
    expect(idsOf('a')).toHaveLength(300);
    commit([...newEvents('b', 156, 'third-'), ...newEvents('c', 156, 'third-')]);
    expect([rows('journal'), rows('chunk'), ids()]).toEqual([1, 3, 768]);
    expect(TEAMS.map((team) => idsOf(team).length)).toEqual([300, 256, 256]);
  });

  it('takes nothing that fills rows by itself', () => {
    commit(newEvents('a', 512));
    expect([rows('journal'), rows('chunk')]).toEqual([0, 2]);
  });

  it('holds nothing for longer than half a minute, when something is committed', () => {
    commit(ofAll(5, 'first-'));
    now += JOURNAL_MS - 1;
    commit([newEvent('a', 'soon')]);
    expect(rows('journal')).toBe(2);
    now += 1;
    commit([]);
    expect([rows('journal'), rows('chunk')]).toEqual([0, 3]);
    commit([newEvent('a', 'later')]);
    now -= 10 * JOURNAL_MS;
    commit([]);
    expect(rows('journal')).toBe(0);
    expect(idsOf('a')).toHaveLength(7);
  });

  it('is bounded, also where each row is kept by one quiet team', () => {
    const content = 'x'.repeat(1_000);
    for (let i = 0; i < 400; i++)
      commit([
        newEvent(`quiet-${i}`, 'one'),
        ...Array.from({ length: 100 }, (_, n) => newEvent('busy', `${i}-${n}`, content)),
      ]);
    expect(rows('journal')).toBeGreaterThan(1);
    const { bytes } = connection.get<{ bytes: number }>('SELECT sum(length(body)) AS bytes FROM journal')!;
    expect(bytes).toBeLessThan(17 * 1024 * 1024);
    for (let i = 0; i < 400; i++) expect(idsOf(`quiet-${i}`)).toEqual(['one']);
    expect(idsOf('busy')).toHaveLength(40_000);
  });

  it('is read back after a crash: the log goes on where it ended, and knows what it has', () => {
    commit(ofAll(5, 'first-'));
    restart();
    expect(commit([newEvent('a', 'first-2'), newEvent('a', 'first-3', 'other'), newEvent('a', 'new')])).toEqual([
      { kind: 'duplicate', sequence: 2 },
      { kind: 'conflict', sequence: 3 },
      { kind: 'appended', sequence: 6 },
    ]);
    log.empty();
    commit([]);
    expect([rows('journal'), ids()]).toEqual([0, 16]);
    expect(idsOf('a')).toEqual(['first-1', 'first-2', 'first-3', 'first-4', 'first-5', 'new']);
  });

  it('that is damaged in a row is not passed over: its teams take nothing, the others do, and the row stays', () => {
    commit([...newEvents('a', 3), ...newEvents('b', 3)]);
    commit(newEvents('c', 3));
    connection.run("UPDATE journal SET body = replace(body, 'event-2', 'event-7') WHERE no = 1");
    reader = new LogReader(connection);
    restart();
    for (const team of ['a', 'b']) {
      expect(() => commit([newEvent(team, 'new')])).toThrow(StorageDamaged);
      restart();
      expect(() => idsOf(team)).toThrow(StorageDamaged);
      expect(reader.bounds(team)).toEqual({ first: 1, last: 3 });
    }
    commit([newEvent('c', 'new')]);
    log.empty();
    commit([]);
    expect(idsOf('c')).toEqual(['event-1', 'event-2', 'event-3', 'new']);
    expect(rows('journal')).toBe(1);
  });

  it('that does not know whose events it holds takes none, and says so', () => {
    commit(newEvents('a', 3));
    connection.run('UPDATE journal SET places = replace(places, \'"a"\', \'"b"\')');
    reader = new LogReader(connection);
    restart();
    expect(() => commit([newEvent('c', 'new')])).toThrow(StorageDamaged);
    expect(() => idsOf('a')).toThrow(/newest events of all teams/);
  });

  it.each([
    ['the newest row', 'DELETE FROM journal WHERE no = 2'],
    ['an older row', 'DELETE FROM journal WHERE no = 1'],
    ['every row', 'DELETE FROM journal'],
  ])('that has lost %s is damaged', (_, sql) => {
    commit(newEvents('a', 3));
    commit(newEvents('b', 3));
    connection.run(sql);
    reader = new LogReader(connection);
    restart();
    expect(() => commit([newEvent('c', 'new')])).toThrow(StorageDamaged);
    expect(() => idsOf('a')).toThrow(/newest events of all teams/);
  });

  it('and the rows together are the log, whatever happens', () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('append' as const),
          counts: fc.tuple(...TEAMS.map(() => fc.nat(180))),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('empty' as const) }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: -1_000, max: JOURNAL_MS }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('delete' as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        connection.exec(
          'UPDATE journal_end SET newest = 0, rows = 0; DELETE FROM journal; DELETE FROM chunk; DELETE FROM event_id; DELETE FROM id_block; DELETE FROM team',
        );
        reader = new LogReader(connection);
        restart();
        const model = new Map(TEAMS.map((team) => [team, { ids: [] as string[], deleted: 0 }]));
        for (const [n, s] of steps.entries()) {
          if (s.kind === 'append') {
            const events = TEAMS.flatMap((team, i) => newEvents(team, s.counts[i]!, `${n}-`));
            for (const { team, id } of events) model.get(team)!.ids.push(id);
            commit(events);
          } else if (s.kind === 'restart') restart();
          else if (s.kind === 'empty') {
            log.empty();
            commit([]);
          } else if (s.kind === 'wait') {
            now += s.ms;
            commit([]);
          } else
            for (const [team, known] of model) {
              const through = Math.floor(known.ids.length * s.share);
              while (log.deleteOldest(team, through) > 0);
              commit([]);
              known.deleted = Math.max(known.deleted, through);
            }
          for (const [team, { ids, deleted }] of model) {
            expect(idsOf(team)).toEqual(ids.slice(deleted));
            const last = ids.length;
            expect(reader.bounds(team)).toEqual(last > 0 ? { first: deleted + 1, last } : { first: 0, last: 0 });
            if (last === deleted) continue;
            const middle = Math.floor((deleted + last) / 2);
            expect(reader.find(team, ids[middle]!)?.sequence).toBe(middle + 1);
            expect(log.append([newEvent(team, ids[middle]!)])).toEqual([{ kind: 'duplicate', sequence: middle + 1 }]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
