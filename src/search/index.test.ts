import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import type { NewEvent } from '../event/logged-event.ts';
import { openSqliteLogReader, openSqliteStore } from '../store/sqlite/store.ts';
import { PIECE_EVENTS } from './column.ts';
import { openSearch } from './index.ts';
import { anyQuery, at, holds, randomEvent } from './oracle.ts';
import { BadQuery, type EventQuery } from './search.ts';
import { SEGMENT_EVENTS } from './segment.ts';
import { SegmentFile } from './segment-file.ts';

/** Far from any event's time: the log stamps arrivals with it, which no search looks at. */
const NOW = Date.parse('2026-06-01T00:00:00Z');
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A folder with a real store, its read-only reader, and searches that are opened and closed at will. */
function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'search-'));
  const store = openSqliteStore({ folder, clock: { now: () => NOW }, defaultRetentionDays: 365 });
  const log = openSqliteLogReader({ folder });
  undo.push(
    () => rmSync(folder, { recursive: true }),
    () => store.close(),
    () => log.close(),
  );
  const warnings: string[] = [];
  const note = (_: object, message: string): void => void warnings.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  return {
    folder,
    log: store.log,
    warnings,
    async append(events: readonly NewEvent[]): Promise<void> {
      for (let i = 0; i < events.length; i += 5000) await store.log.append(events.slice(i, i + 5000));
    },
    open: (clock: Clock = { now: () => NOW, sleep: untilAborted }) => openSearch({ folder, log, clock, logger }),
  };
}

async function untilAborted(_: number, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Indexes every full segment, closes, and leaves the index where it is. */
async function index(folder: ReturnType<typeof openFolder>): Promise<void> {
  const search = folder.open();
  search.start();
  while ((await search.lag()) > 0) await setImmediate();
  await search.close();
}

/** As a failing disk would, behind the back of SQLite. */
function changing(sql: string): (path: string) => void {
  return (path) => {
    const file = new DatabaseSync(path);
    file.exec(sql);
    file.close();
  };
}

function eventsOf(team: string, seed: number, from: number, count: number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => randomEvent(team, seed, from + i));
}

async function allPages(
  search: ReturnType<typeof openSearch>,
  team: string,
  query: EventQuery,
  { between, ...list }: { order: 'asc' | 'desc'; limit: number; through?: number; between?: () => Promise<void> },
): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await search.search(team, query, { ...list, ...(cursor !== undefined && { cursor }) });
    expect(page.events.length).toBeLessThanOrEqual(list.limit);
    found.push(...page.events.map((json) => String(JSON.parse(json).sequence)));
    cursor = page.nextCursor;
    if (cursor !== null) await between?.();
  }
  return found;
}

describe('search', () => {
  it('finds what the rules say, page by page, however far the index is and whatever arrives meanwhile', {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          indexed: fc.integer({ min: 0, max: SEGMENT_EVENTS + 2000 }),
          waiting: fc.integer({ min: 0, max: 900 }),
          deleted: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: SEGMENT_EVENTS + 900 })),
          bucketMs: fc.constantFrom(60_000, 3_600_000, 86_400_000),
          queries: fc.array(
            fc.record({
              query: anyQuery,
              order: fc.constantFrom('asc', 'desc'),
              limit: fc.constantFrom(1, 50, 333, 1000),
              arriving: fc.integer({ min: 0, max: 3 }),
              isSnapshot: fc.boolean(),
            }),
            { minLength: 3, maxLength: 5 },
          ),
        }),
        async ({ seed, indexed, waiting, deleted, bucketMs, queries }) => {
          const folder = openFolder();
          const known = [...eventsOf('a', seed, 0, indexed + waiting)];
          await folder.append([...known.slice(0, indexed), ...eventsOf('b', seed, 0, 300)]);
          await index(folder);
          await folder.append(known.slice(indexed));
          const gone = await folder.log.deleteThrough('a', Math.min(deleted, known.length));
          const search = folder.open();
          undo.push(() => search.close());
          for (const { query, order, limit, arriving, isSnapshot } of queries) {
            const matching = (): string[] =>
              known.flatMap(({ json }, i) => (i >= gone && holds(query, JSON.parse(json)) ? [String(i + 1)] : []));
            const before = matching();
            const most = before.length > 300 ? Math.max(limit, 50) : limit;
            // Else pages of one event would run after what arrives for ever.
            let pages = 0;
            const between = async (): Promise<void> => {
              if (pages++ >= 20) return;
              const arrived = eventsOf('a', seed, known.length, arriving);
              known.push(...arrived);
              await folder.append(arrived);
            };
            const through = known.length;
            const list = { order, limit: most, ...(isSnapshot && { through }) };
            const found = await allPages(search, 'a', query, { ...list, between });
            expect(found).toEqual(order === 'desc' ? before.toReversed() : isSnapshot ? before : matching());

            const then = await search.histogram('a', query, bucketMs, through);
            expect(then.success + then.failure).toBe(before.length);
            const counts = await search.histogram('a', query, bucketMs);
            const expected = new Map<number, { at: number; success: number; failure: number }>();
            for (const sequence of matching()) {
              const event = JSON.parse(known[Number(sequence) - 1]!.json);
              const start = Math.floor(Date.parse(event.timestamp) / bucketMs) * bucketMs;
              const bucket = expected.get(start) ?? { at: start, success: 0, failure: 0 };
              expected.set(start, bucket);
              bucket[event.status as 'success' | 'failure']++;
            }
            expect(counts.buckets).toEqual([...expected.values()].sort((x, y) => x.at - y.at));
            expect(counts.success + counts.failure).toBe(matching().length);
          }
          for (const step of undo.splice(0).reverse()) await step();
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it('refuses cursors that are malformed or of the other order', async () => {
    const folder = openFolder();
    await folder.append(eventsOf('a', 1, 0, 10));
    const search = folder.open();
    undo.push(() => search.close());
    const { nextCursor } = await search.search('a', {}, { order: 'desc', limit: 3 });
    for (const cursor of ['', 'x', `${nextCursor}=`, Buffer.from('desc.-1').toString('base64url')])
      await expect(search.search('a', {}, { order: 'desc', limit: 3, cursor })).rejects.toThrow(BadQuery);
    await expect(search.search('a', {}, { order: 'asc', limit: 3, cursor: nextCursor! })).rejects.toMatchObject({
      path: 'cursor',
    });
  });

  it('refuses an address that is none, and more values than it would look for', async () => {
    const search = openFolder().open();
    undo.push(() => search.close());
    const page = { order: 'desc', limit: 1 } as const;
    for (const ip of ['10.0.0', '10.0.0.0/33', 'host', '10.0.0.1/', '127.1'])
      await expect(search.search('a', { ip: [ip] }, page)).rejects.toMatchObject({ path: 'ip' });
    const actor = Array.from({ length: 101 }, (_, i) => String(i));
    await expect(search.search('a', { actor }, page)).rejects.toMatchObject({ path: 'actor' });
  });

  it('ends a page early rather than answer with more bytes than it should, and loses nothing', async () => {
    const folder = openFolder();
    const long = 'x'.repeat(200_000);
    const events = eventsOf('a', 1, 0, 200).map((event) => ({
      ...event,
      json: event.json.replace('"Signed', `"${long}`),
    }));
    await folder.append(events);
    const search = folder.open();
    undo.push(() => search.close());
    const first = await search.search('a', {}, { order: 'asc', limit: 1000 });
    expect(first.events.join('').length).toBeLessThanOrEqual(16 * 1024 * 1024);
    const found = await allPages(search, 'a', {}, { order: 'asc', limit: 1000 });
    expect(found).toEqual(events.map((_, i) => String(i + 1)));
  });
});

describe('the index', () => {
  it('is kept: opening again needs no more indexing', async () => {
    const folder = openFolder();
    await folder.append(eventsOf('a', 2, 0, SEGMENT_EVENTS + 10));
    await index(folder);
    const search = folder.open();
    undo.push(() => search.close());
    expect(await search.lag()).toBe(0);
    expect(folder.warnings).toEqual([]);
  });

  it.each([
    ['garbage', (path: string) => writeFileSync(path, 'this was never a database')],
    [
      'of another version',
      (path: string) => {
        const database = new DatabaseSync(path);
        database.exec('PRAGMA user_version = 99');
        database.close();
      },
    ],
    [
      'corrupt within',
      (path: string) => {
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0xff, 4096 * 2));
      },
    ],
    ['changed in a blob', changing('UPDATE segment_blob SET body = zeroblob(length(body)) WHERE length(body) = 4096')],
    [
      'NULL instead of a blob',
      changing(`
        ALTER TABLE segment_blob RENAME TO old;
        CREATE TABLE segment_blob (key INTEGER PRIMARY KEY, checksum INTEGER, body BLOB);
        INSERT INTO segment_blob SELECT key, checksum, CASE WHEN length(body) = 4096 THEN NULL ELSE body END FROM old`),
    ],
    [
      'changed in the place of a blob',
      changing('UPDATE segment_blob SET key = -key; UPDATE segment_blob SET key = -key % 2048 + 1024'),
    ],
    ['changed in a segment', changing('UPDATE segment SET first = first + 1')],
  ])('is built anew from the log, and says so, when its file is %s', async (_, spoil) => {
    const folder = openFolder();
    const events = eventsOf('a', 3, 0, SEGMENT_EVENTS * 2);
    await folder.append(events);
    await index(folder);
    spoil(join(folder.folder, 'index.db'));
    const search = folder.open();
    undo.push(() => search.close());
    const query = { status: ['failure'] } as const;
    const failures = events.flatMap(({ json }, i) => (holds(query, JSON.parse(json)) ? [String(i + 1)] : []));
    expect(await allPages(search, 'a', query, { order: 'asc', limit: 1000 })).toEqual(failures);
    expect(folder.warnings.join()).toContain('built anew');
    search.start();
    while ((await search.lag()) > 0) await setImmediate();
    expect(await allPages(search, 'a', query, { order: 'asc', limit: 1000 })).toEqual(failures);
  });

  it('is dropped when it is of another log', async () => {
    const old = openFolder();
    await old.append(eventsOf('a', 4, 0, SEGMENT_EVENTS));
    await index(old);
    const restored = openFolder();
    const events = eventsOf('a', 5, 0, SEGMENT_EVENTS + 5).map((event, i) => ({ ...event, id: `restored-${i}` }));
    await restored.append(events);
    writeFileSync(join(restored.folder, 'index.db'), readFileSync(join(old.folder, 'index.db')));
    const search = restored.open();
    undo.push(() => search.close());
    const query = { status: ['failure'] } as const;
    const failures = events.flatMap(({ json }, i) => (holds(query, JSON.parse(json)) ? [String(i + 1)] : []));
    expect(await allPages(search, 'a', query, { order: 'asc', limit: 1000 })).toEqual(failures);
  });

  it.each([
    ['a whole segment', SEGMENT_EVENTS],
    ['a part of one', 1000],
  ])('forgets, in its file too, when retention deletes %s', async (_, deleted) => {
    const folder = openFolder();
    const name = (event: NewEvent, i: number): NewEvent =>
      i < 700 ? { ...event, json: event.json.replace('"Signed', '"Secret Person signed') } : event;
    const count = 2 * SEGMENT_EVENTS;
    await folder.append(eventsOf('a', 6, 0, count).map(name));
    await index(folder);
    const path = join(folder.folder, 'index.db');
    expect(readFileSync(path).includes('secret person')).toBe(true);
    await folder.log.deleteThrough('a', deleted);
    let slept = (): void => {};
    const trimmed = new Promise<void>((resolve) => {
      slept = resolve;
    });
    const search = folder.open({
      now: () => NOW,
      sleep: (ms, signal) => {
        slept();
        return untilAborted(ms, signal);
      },
    });
    search.start();
    await trimmed;
    expect(await allPages(search, 'a', {}, { order: 'asc', limit: 1000 })).toHaveLength(count - deleted);
    await search.close();
    expect(readFileSync(path).includes('secret person')).toBe(false);
    expect(readFileSync(path).includes('signed in')).toBe(true);
  });

  it('joins many segments to one, and cuts that when retention does', { timeout: 60_000 }, async () => {
    const folder = openFolder();
    const count = 17 * SEGMENT_EVENTS + 100;
    const events = eventsOf('a', 8, 0, count);
    await folder.append(events);
    await index(folder);
    const segments = (): unknown => {
      const file = new DatabaseSync(join(folder.folder, 'index.db'), { readOnly: true });
      const rows = file.prepare('SELECT tier, first, last FROM segment ORDER BY last').all();
      const blobs = file.prepare('SELECT count(*) AS n FROM segment_blob').get()!['n'];
      file.close();
      return { rows: rows.map(({ tier, first, last }) => [tier, first, last]), blobs };
    };
    const joined = 16 * SEGMENT_EVENTS;
    expect(segments()).toEqual({
      rows: [
        [1, 1, joined],
        [0, joined + 1, 17 * SEGMENT_EVENTS],
      ],
      blobs: 2 * 38,
    });
    const parsed = events.map(({ json }) => JSON.parse(json));
    const queries: EventQuery[] = [
      { actor: ['ada lovelace'], target: ['u-1'], ip: ['10.9.0.1/15'] },
      { q: 'σίσυφος', status: ['failure'] },
      { eventType: ['auth.login.success'], from: at(60_000), to: at(70_000) },
    ];
    const check = async (gone: number): Promise<void> => {
      const search = folder.open();
      for (const query of queries) {
        const expected = parsed.flatMap((event, i) => (i >= gone && holds(query, event) ? [String(i + 1)] : []));
        expect(await allPages(search, 'a', query, { order: 'asc', limit: 1000 })).toEqual(expected);
        const { success, failure } = await search.histogram('a', query, 3_600_000);
        expect(success + failure).toBe(expected.length);
      }
      await search.close();
    };
    await check(0);
    await folder.log.deleteThrough('a', 12_345);
    await check(12_345);
    await index(folder);
    const search = folder.open();
    search.start();
    await expect.poll(segments).toMatchObject({
      rows: [
        [1, 12_346, joined],
        [0, joined + 1, 17 * SEGMENT_EVENTS],
      ],
    });
    await search.close();
    await check(12_345);
  });

  it('answers piece by piece from a segment of several', { timeout: 60_000 }, async () => {
    const folder = openFolder();
    const count = 2 * PIECE_EVENTS + 3 * SEGMENT_EVENTS;
    const events = eventsOf('a', 10, 0, count);
    await folder.append(events);
    await index(folder);
    const file = new SegmentFile(folder.folder, () => expect.fail('nothing is corrupt'));
    await file.join('a', file.segments('a', 0, count), { first: 100, tier: 2 });
    expect(file.segments('a', 0, count)).toMatchObject([{ first: 100, last: count }]);
    file.close();
    await folder.log.deleteThrough('a', 99);
    const search = folder.open();
    const parsed = events.map(({ json }) => JSON.parse(json));
    const edge = at(99 + PIECE_EVENTS);
    for (const query of [
      { actor: ['ada lovelace'], ip: ['10.9.0.1/15'] },
      { q: 'σίσυφος', status: ['failure'], from: edge - 2_000_000, to: edge + 2_000_000 },
      { eventType: ['auth.login.success'], to: edge },
      { from: edge + 3_600_000, to: edge + 7_200_000 },
    ] satisfies EventQuery[]) {
      const places = parsed.flatMap((event, i) => (i >= 99 && holds(query, event) ? [i] : []));
      expect(places.length).toBeGreaterThan(0);
      const expected = places.map((i) => String(i + 1));
      expect(await allPages(search, 'a', query, { order: 'asc', limit: 1000 })).toEqual(expected);
      expect(await allPages(search, 'a', query, { order: 'desc', limit: 1000 })).toEqual(expected.reverse());
      const failures = places.filter((i) => parsed[i].status === 'failure').length;
      expect(await search.histogram('a', query, 86_400_000)).toMatchObject({
        success: places.length - failures,
        failure: failures,
      });
    }
    await search.close();
  });

  it('forgets what a crash left of a segment that was being joined', async () => {
    const folder = openFolder();
    await folder.append(eventsOf('a', 9, 0, SEGMENT_EVENTS));
    await index(folder);
    const blobs = (sql: string) => {
      const file = new DatabaseSync(join(folder.folder, 'index.db'));
      const rows = file.prepare(sql).all();
      file.close();
      return rows;
    };
    blobs('INSERT INTO segment_blob VALUES (2048, 0, zeroblob(10)), (2500, 0, zeroblob(10))');
    await folder.open().close();
    expect(blobs('SELECT count(*) AS n, max(key) / 1024 AS newest FROM segment_blob')).toEqual([{ n: 38, newest: 1 }]);
  });

  it('answers at once at 200,000 events, and in steps before they are indexed', { timeout: 60_000 }, async () => {
    const folder = openFolder();
    const count = 200_000;
    for (let i = 0; i < count; i += 20_000) await folder.append(eventsOf('a', 7, i, 20_000));
    const lagging = folder.open();
    const first = await lagging.search('a', { q: 'nowhere' }, { order: 'desc', limit: 50 });
    expect(first.events).toEqual([]);
    expect(first.nextCursor, 'a page found without index is cut short, not the search').not.toBe(null);
    const rarest = {
      category: ['gateway'],
      actor: ['ada lovelace'],
      target: ['u-1'],
      ip: ['10.9.0.0/16'],
      from: at(190_000),
    };
    const slowly = await allPages(lagging, 'a', rarest, { order: 'asc', limit: 50 });
    await lagging.close();
    const took: Record<string, number> = {};
    const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      const start = performance.now();
      await work();
      took[what] = Math.round(performance.now() - start);
    };
    await timed('indexing', () => index(folder));
    const search = folder.open();
    undo.push(() => search.close());
    expect(await allPages(search, 'a', rarest, { order: 'asc', limit: 50 })).toEqual(slowly);
    const page = { order: 'desc', limit: 50 } as const;
    await timed('newest', () => search.search('a', {}, page));
    await timed('actor', () => search.search('a', { actor: ['nobody'] }, page));
    await timed('text', () => search.search('a', { q: 'nowhere' }, page));
    await timed('network', () => search.search('a', { ip: ['192.0.2.0/24'] }, page));
    await timed('histogram', () => search.histogram('a', { from: at(0) }, 3_600_000));
    took['bytes an event'] = Math.round(statSync(join(folder.folder, 'index.db')).size / count);
    console.log(took);
    expect(Math.max(took['newest']!, took['actor']!, took['text']!, took['network']!, took['histogram']!)).toBeLessThan(
      2000,
    );
  });
});
