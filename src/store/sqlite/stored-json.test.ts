import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DAMAGED_KIND, type Progress, type StoredDestination } from '../destinations.ts';
import { DEFAULT_ALERTS } from '../teams.ts';
import { openSqliteStore, type SqliteStore } from './store.ts';

const clock = { now: () => 1_000, sleep: async () => {} };
let folder: string;
let store: SqliteStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stored-'));
  store = openSqliteStore({ folder, clock, defaultRetentionDays: 365 });
  for (const id of ['good', 'bad']) await store.destinations.create(destination(id), progress, []);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

it.each([
  ['body', 'not JSON'],
  ['body', '{}'],
  ['body', JSON.stringify({ ...destination('bad'), filters: [] })],
  ['body', JSON.stringify(destination('good'))],
  ['progress', 'null'],
  ['progress', '{"cursor":"all"}'],
])(
  'a destination whose %s is %s is damaged, delivers nothing, settles nothing, and keeps what it has',
  async (column, json) => {
    byHand(`UPDATE destination SET ${column} = ?, ${column}_checksum = NULL WHERE id = 'bad'`, json);
    const { destinations } = store;
    expect(await destinations.list('acme')).toMatchObject([destination('good'), { id: 'bad', kind: DAMAGED_KIND }]);
    expect(await destinations.progress('bad')).toMatchObject({ cursor: 0 });
    const damaged = (await destinations.get('bad'))!;
    await destinations.settle({ destination: 'bad', progress: { ...progress, cursor: 9 } });
    await destinations.update({ ...damaged, paused: { by: 'ana', at: 1 } }, []);
    expect(byHand(`SELECT ${column} AS kept FROM destination WHERE id = 'bad'`)).toEqual([{ kept: json }]);
    expect(await destinations.progress('good')).toEqual(progress);
    await destinations.remove('bad', []);
    expect(await destinations.list()).toEqual([destination('good')]);
  },
);

it('one that was changed without its checksum is damaged too', async () => {
  byHand("UPDATE destination SET body = replace(body, 'Name', 'Names') WHERE id = 'bad'");
  expect(await store.destinations.get('bad')).toMatchObject({ name: 'Names of bad', kind: DAMAGED_KIND });
});

it('alerts and scopes that cannot be read are the default and none', async () => {
  const at = { createdAt: 1, expiresAt: null, revokedAt: null, lastUsedAt: null };
  await store.teams.create({ id: 'acme', name: 'Acme', retentionDays: 1, createdAt: 1, alerts: DEFAULT_ALERTS }, []);
  await store.keys.create({ id: 'k', name: 'k', team: 'acme', scopes: ['events:read'], hash: 'h', ...at }, []);
  for (const json of ['', '{', 'null', '{"mail":"yes"}', '[1]']) {
    byHand('UPDATE team SET alerts = ?', json);
    byHand('UPDATE api_key SET scopes = ?', json);
    expect(await store.teams.list()).toMatchObject([{ alerts: DEFAULT_ALERTS }]);
    expect(await store.keys.findByHash('h')).toMatchObject({ scopes: [] });
  }
});

function byHand(sql: string, ...values: string[]): unknown[] {
  const database = new DatabaseSync(join(folder, 'trailproof.db'));
  try {
    return database
      .prepare(sql)
      .all(...values)
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

function destination(id: string): StoredDestination {
  const filters = [{ fromSequence: 1, categories: null, eventTypes: null, newCategories: true, knownCategories: [] }];
  return {
    ...{ id, team: 'acme', kind: 'splunk', name: `Name of ${id}`, settings: { a: 1 }, sealed: {}, filters },
    ...{ startAfter: 0, parallel: 1, lingerMs: 0, paused: null, createdAt: 1, updatedAt: 2 },
  };
}

const progress: Progress = {
  ...{ cursor: 3, settledAhead: [], scanned: 3, matched: 3, filtered: 0, delivered: 3, deadLettered: 0 },
  ...{ state: 'connected', since: 1, cause: null, fix: null, held: false, refusedRun: [] },
  ...{ lastSuccessAt: 1, lastError: null },
};
