import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/rig/events.ts';
import { NOON, newEvent } from '../conformance-fixture.ts';
import { CommitQueue } from './commit-queue.ts';
import { Connection } from './connection.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { migrate } from './migrations.ts';
import type { Reread } from './tail-event.ts';

const LONG_MS = 60_000;

let queue: CommitQueue;
let connection: Connection;
/** Transactions that appended. */
let commits: number;

function open(patienceMs: number, idleMs: number): void {
  commits = 0;
  queue = new CommitQueue({
    connect: () => {
      connection = new Connection(':memory:', 1_000);
      migrate(connection);
      return connection;
    },
    openLog: (opened) => {
      const reader = new LogReader(opened);
      const reread: Reread = (team, sequence) => reader.reread(team, sequence);
      return new LogWriter(opened, { now: () => NOON }, { defaultRetentionDays: 365, tailBytes: 1_000_000, reread });
    },
    reserve: { hasRoom: () => true, release: () => false },
    onGrown: (grown) => {
      if (grown.length > 0) commits += 1;
    },
    patienceMs,
    idleMs,
  });
}

const append = (id: string): Promise<unknown> => queue.commit('grow', ({ log }) => log.append([newEvent('a', id)]));
const rows = (table: 'journal' | 'chunk'): number =>
  connection.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n;

describe('the commit queue', () => {
  afterEach(() => queue.close());

  it('commits progress with what comes soon, or by itself some time after the last commit', async () => {
    open(200, LONG_MS);
    const settled: string[] = [];
    const progress = (name: string): Promise<unknown> =>
      queue.commit('progress', () => {}).then(() => settled.push(name));
    await append('1');
    const first = progress('1');
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    expect(settled).toEqual([]);
    await append('2');
    await first;
    expect([settled, commits]).toEqual([['1'], 2]);
    await progress('2');
    expect([settled, commits]).toEqual([['1', '2'], 2]);
  });

  it('commits progress at once when nothing was committed for a while', async () => {
    open(LONG_MS, LONG_MS);
    await queue.commit('progress', () => {});
  });

  it('empties the journal once nothing is committed for a while, however young what it holds', async () => {
    open(0, 10);
    await append('1');
    expect([rows('journal'), rows('chunk')]).toEqual([1, 0]);
    await eventually(async () => expect([rows('journal'), rows('chunk')]).toEqual([0, 1]), 5_000, 5);
    // And again, though its timer has fired.
    await append('2');
    await eventually(async () => expect(rows('journal')).toBe(0), 5_000, 5);
  });
});
