import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOON, newEvent, readAll } from '../conformance-fixture.ts';
import { DEFAULT_ALERTS } from '../teams.ts';
import { openSqliteStore, type SqliteStore } from './store.ts';
import { writeVersion1 } from './version1-fixture.ts';

const HOUR_MS = 3_600_000;

describe('a database of schema version 1', () => {
  let folder: string;
  let store: SqliteStore;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trailproof-migrations-'));
    writeVersion1(join(folder, 'trailproof.db'));
    store = openSqliteStore({ folder, clock: { now: () => NOON }, defaultRetentionDays: 365 });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('keeps its teams, keys and events', async () => {
    const acme = { id: 'acme', name: 'Acme', retentionDays: 30, createdAt: NOON };
    expect(await store.teams.list()).toEqual([{ ...acme, alerts: DEFAULT_ALERTS }]);
    expect(await store.teams.deleted()).toEqual([]);
    expect((await store.keys.findByHash('hash of k1'))?.scopes).toEqual(['events:read']);
    expect((await readAll(store.log, 'acme')).map(({ id }) => id)).toEqual(['event-1', 'event-2', 'event-3']);
    expect(await store.log.append([newEvent('acme', 'event-2'), newEvent('acme', 'new')])).toEqual([
      { kind: 'duplicate', sequence: 2 },
      { kind: 'appended', sequence: 4 },
    ]);
  });

  it('keeps its attempts, whose lag is not known, and counts on', async () => {
    const { destinations } = store;
    const known = { outcome: 'delivered', status: 200, reason: null, answer: null } as const;
    const old = { at: NOON, kind: 'delivery', firstSequence: 1, lastSequence: 3, events: 3, delivered: 3 } as const;
    const attempt = { ...old, bytes: 900, durationMs: 12.5, lagMs: null, ...known };
    const timeline = (): Promise<unknown> => destinations.timeline('d1', NOON, NOON + HOUR_MS, 'hour');
    expect((await destinations.attempts('d1', { limit: 9 })).items).toEqual([attempt]);
    expect(await destinations.attemptTotals('d1', NOON - HOUR_MS)).toEqual({ delivered: 3, failedAttempts: 1 });
    expect(await timeline()).toEqual([{ at: NOON, delivered: 3, failed: 1, maxLagMs: null }]);
    const progress = (await destinations.progress('d1'))!;
    await destinations.settle({ destination: 'd1', progress, attempt: { ...attempt, lagMs: 70 } });
    expect(await timeline()).toEqual([{ at: NOON, delivered: 6, failed: 1, maxLagMs: 70 }]);
  });
});
