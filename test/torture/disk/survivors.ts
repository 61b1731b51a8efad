import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { NewEvent } from '../../../src/event/logged-event.ts';
import { COUNT_IDS } from '../../../src/store/sqlite/event-ids.ts';
import { openSqliteStore, type SqliteStore } from '../../../src/store/sqlite/store.ts';

/** What must have survived in a folder. */
export interface Expected {
  readonly team: string;
  readonly acknowledged: ReadonlySet<string>;
  /** Every page of the database is looked at. */
  readonly isThorough: boolean;
}

export interface Survived {
  /** Acknowledged and not there. */
  readonly lost: number;
  readonly events: number;
  /** matched = delivered + dead letters + pending, none beyond the log, at every destination. */
  readonly countersExact: boolean;
}

/** Opens what a power cut left, with the real store and no repair. Throws when it is no gapless log that goes on. */
export async function inspect(folder: string, { team, acknowledged, isThorough }: Expected): Promise<Survived> {
  const store = openSqliteStore({ folder, clock: Date, defaultRetentionDays: 365 });
  try {
    const ids = await readIds(store, team);
    const countersExact = await areCountersExact(store, team, ids.size);
    const [place] = await store.log.append([probe(team)]);
    assert.deepEqual(place, { kind: 'appended', sequence: ids.size + 1 }, 'the log does not go on where it ended');
    return { lost: [...acknowledged].filter((id) => !ids.has(id)).length, events: ids.size, countersExact };
  } finally {
    await store.close();
    if (isThorough) checkDatabase(join(folder, 'trailproof.db'));
  }
}

async function readIds(store: SqliteStore, team: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let last = 0; ; ) {
    const events = await store.log.read(team, last, { events: 5_000, bytes: 64 * 1024 * 1024 });
    for (const { id, sequence } of events) {
      assert.equal(sequence, last + 1, 'the sequence has a hole or repeats');
      assert.ok(!ids.has(id), `${id} is stored twice`);
      ids.add(id);
      last = sequence;
    }
    if (events.length > 0) continue;
    assert.equal((await store.log.bounds(team)).last, last, 'the log says that it ends elsewhere');
    return ids;
  }
}

async function areCountersExact(store: SqliteStore, team: string, last: number): Promise<boolean> {
  for (const { id } of await store.destinations.list(team)) {
    const progress = await store.destinations.progress(id);
    assert.ok(progress, `${id} has no progress`);
    const { cursor, scanned, matched, filtered, delivered, deadLettered } = progress;
    const deadLetters = (await store.destinations.deadLetters(id, { limit: 100_000, redriving: false })).items.length;
    const pending = matched - delivered - deadLettered;
    if (!(cursor <= scanned && scanned <= last && pending >= 0)) return false;
    if (matched + filtered !== scanned || deadLettered !== deadLetters) return false;
    // What is pending lies behind the cursor, and what was settled ahead of it is none of it.
    if (pending > scanned - cursor - progress.settledAhead.length) return false;
  }
  return true;
}

/**
 * Each page is sound, and an id is known exactly when its event is in its team's rows: else a repeat would be taken for
 * stored. A store that was closed leaves nothing in the journal.
 */
function checkDatabase(path: string): void {
  const database = new DatabaseSync(path);
  try {
    const found = database.prepare('PRAGMA integrity_check').all();
    assert.deepEqual(
      found.map((row) => row['integrity_check']),
      ['ok'],
    );
    const { ids, events, journal } = database
      .prepare(
        `SELECT (${COUNT_IDS}) AS ids, (SELECT sum(count) FROM chunk) AS events, (SELECT count(*) FROM journal) AS journal`,
      )
      .get()!;
    assert.equal(ids, events, `${ids} ids of ${events} events are known`);
    assert.equal(journal, 0, 'rows are left in the journal');
  } finally {
    database.close();
  }
}

function probe(team: string): NewEvent {
  const head = { timestamp: '2026-01-15T10:30:00.000Z', id: 'after-the-cut', eventType: 'auth.logout' };
  const json = JSON.stringify({ ...head, eventCategory: 'authentication' });
  const { id, eventType } = head;
  return { ...{ team, id, eventType, eventCategory: 'authentication', timestamp: 0 }, hash: id, json };
}
