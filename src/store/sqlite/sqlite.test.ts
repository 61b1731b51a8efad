import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeStore } from '../conformance.ts';
import { countTo, NOON, newEvent, newEvents, readAll } from '../conformance-fixture.ts';
import { Connection, UnusableDatabase } from './connection.ts';
import { openSqliteLogReader, openSqliteStore, type SqliteStore } from './store.ts';

const clock = { now: () => NOON };
const openIn = (folder: string): SqliteStore => openSqliteStore({ folder, clock, defaultRetentionDays: 365 });

describeStore('SQLite', async (suiteClock) => {
  const folder = mkdtempSync(join(tmpdir(), 'trailproof-store-'));
  const open = (): SqliteStore => openSqliteStore({ folder, clock: suiteClock, defaultRetentionDays: 365 });
  let store = open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = open();
      return store;
    },
    remove: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});

describe('the SQLite store', () => {
  let folder: string;
  let database: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trailproof-sqlite-'));
    database = join(folder, 'trailproof.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('commits what waits at the same moment together: one row for many calls', async () => {
    const store = openIn(folder);
    await Promise.all(newEvents('a', 64).map((event) => store.log.append([event])));
    await store.close();
    const connection = new Connection(database, 1_000);
    expect(connection.all('SELECT first_sequence AS first, count FROM chunk')).toEqual([{ first: 1, count: 64 }]);
    connection.close();
  });

  it('tells who listens which teams grew', async () => {
    const store = openIn(folder);
    const heard: unknown[] = [];
    const stop = store.onAppended((grown) => heard.push(...grown.map(({ team, last }) => [team, last])));
    await store.log.append([newEvent('a', '1'), newEvent('a', '2'), newEvent('b', '1')]);
    await store.log.append([newEvent('a', '1')]);
    stop();
    await store.log.append([newEvent('a', '3')]);
    expect(heard).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    await store.close();
  });

  it('shows a reader on another thread the log without holes while rows are merged', async () => {
    const store = openIn(folder);
    const total = 3_000;
    const reading = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.module).then(async ({ openSqliteLogReader }) => {
        const reader = openSqliteLogReader({ folder: workerData.folder });
        let last = 0;
        while (last < workerData.total)
          for (const event of await reader.read('a', last, { events: 50, bytes: 1e6 })) {
            if (event.sequence !== last + 1) throw new Error('after ' + last + ' came ' + event.sequence);
            last = event.sequence;
          }
        reader.close();
        parentPort.postMessage(last);
      });`;
    const module = new URL('./store.ts', import.meta.url).href;
    const worker = new Worker(reading, { eval: true, workerData: { module, folder, total } });
    const read = once(worker, 'message');
    for (let done = 0; done < total; done += 10) await store.log.append(newEvents('a', 10, `${done}-`));
    expect(await read).toEqual([total]);
    await worker.terminate();
    await store.close();
  });

  it('gives a second connection everything a reader of the log needs', async () => {
    const store = openIn(folder);
    await store.log.append([...newEvents('a', 300), ...newEvents('b', 2)]);
    const reader = openSqliteLogReader({ folder });
    expect(await readAll(reader, 'a')).toEqual(await readAll(store.log, 'a'));
    expect(await reader.teams()).toEqual([
      { team: 'a', last: 300 },
      { team: 'b', last: 2 },
    ]);
    expect(await reader.bounds('b')).toEqual({ first: 1, last: 2 });
    expect((await reader.find('a', 'event-7'))?.sequence).toBe(7);
    expect(await reader.vocabulary('b')).toEqual({ categories: ['user_management'], eventTypes: ['user.created'] });
    expect(await reader.firstReceivedSince('a', NOON + 1)).toBe(301);
    reader.close();
    await store.close();
  });

  it('refuses a database of a newer version', async () => {
    await openIn(folder).close();
    const connection = new Connection(database, 1_000);
    connection.exec('PRAGMA user_version = 1000');
    connection.close();
    expect(() => openIn(folder)).toThrow(UnusableDatabase);
    expect(() => openIn(folder)).toThrow(/schema version 1000/);
  });

  it('refuses a file that is no database', () => {
    writeFileSync(database, 'no database, but long enough for a header of a hundred bytes. '.repeat(20));
    expect(() => openIn(folder)).toThrow(UnusableDatabase);
    expect(() => openIn(folder)).toThrow(/not a SQLite database/);
  });

  // A limit on the size of files makes the operating system refuse writes (EFBIG), as a failing disk would (EIO).
  it('keeps nothing of a failed commit, still reads, and goes on where the log ended', async () => {
    const limitFiles = (bytes: number | 'unlimited'): void => {
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
    };
    const store = openIn(folder);
    await store.log.append(newEvents('a', 10));
    limitFiles(statSync(`${database}-wal`).size);
    try {
      const failing = await Promise.allSettled([
        store.log.append(newEvents('a', 5, 'lost-')),
        store.log.append(newEvents('b', 5, 'lost-')),
        store.log.check(),
      ]);
      for (const result of failing)
        expect(result).toMatchObject({
          status: 'rejected',
          reason: { name: 'StoreUnavailable', code: 'storage_error' },
        });
      expect(await readAll(store.log, 'a')).toHaveLength(10);
    } finally {
      limitFiles('unlimited');
    }
    expect(await store.log.append(newEvents('a', 2, 'lost-'))).toEqual([
      { kind: 'appended', sequence: 11 },
      { kind: 'appended', sequence: 12 },
    ]);
    expect(await store.log.bounds('b')).toEqual({ first: 0, last: 0 });
    expect((await readAll(store.log, 'a')).map((event) => event.sequence)).toEqual(countTo(12));
    await store.close();
  });

  it.each([
    { disk: 'large enough for the whole reserve', diskMiB: 96, ballastMiB: 40 },
    { disk: 'tiny', diskMiB: 12, ballastMiB: 5 },
  ])('refuses events while a $disk disk is full, goes on writing cursors, and recovers by itself', (given) => {
    const scenario = fileURLToPath(new URL('./full-disk.scenario.ts', import.meta.url));
    const mounted = `mount -t tmpfs -o size=${given.diskMiB}m trailproof "$1" && exec "$2" "$3" "$1" "$4"`;
    const args = ['-Urm', 'sh', '-c', mounted, 'sh', folder, process.execPath, scenario, String(given.ballastMiB)];
    expect(JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))).toEqual({
      'reserve at first': true,
      refusal: 'storage_full',
      'settled together with what was refused': true,
      'refusal again': 'storage_full',
      check: 'storage_full',
      'cursor while full': 1_000_020,
      'reserve while full': false,
      'refusal a second later': 'storage_full',
      'refusal in the same second': 'storage_full',
      // Absent: 'refusal with room'.
      'reserve with room': true,
      lost: 0,
      'without holes': true,
      'each once': true,
    });
  });
});
