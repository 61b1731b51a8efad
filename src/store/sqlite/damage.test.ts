import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countTo, NOON, newEvent, newEvents, readAll } from '../conformance-fixture.ts';
import { StorageDamaged } from '../event-log.ts';
import { MIGRATIONS } from './migrations.ts';
import { openSqliteStore, type SqliteStore } from './store.ts';

const CHANGED = Buffer.from('SIEM');

describe('what has changed on the disk', () => {
  let folder: string;
  let store: SqliteStore;
  const open = (): SqliteStore => openSqliteStore({ folder, clock: { now: () => NOON }, defaultRetentionDays: 365 });
  /** Two full rows of team a, and one of text. Team b is well. */
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trailproof-damage-'));
    store = open();
    await store.log.append(newEvents('a', 512));
    await store.log.append([newEvent('a', 'text'), newEvent('b', 'b1')]);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  /** Changes the file while no store has it, then opens the store again. */
  async function change(sql: string, ...values: SQLInputValue[]): Promise<void> {
    await store.close();
    const database = new DatabaseSync(join(folder, 'trailproof.db'));
    expect(database.prepare(sql).run(...values).changes).toBeGreaterThan(0);
    database.close();
    store = open();
  }

  const damaged = (what: string) => ({ constructor: StorageDamaged, message: expect.stringContaining(what) });

  it.each([
    [
      'in a compressed row',
      'UPDATE chunk SET body = CAST(substr(body, 1, 900) || ? || substr(body, 905) AS BLOB) WHERE first_sequence = 257',
    ],
    ['in its checksum', 'UPDATE chunk SET checksum = checksum + length(?) WHERE first_sequence = 257'],
    ['in its count', 'UPDATE chunk SET count = count - length(?) / 4 WHERE first_sequence = 257'],
    ['in its place', 'UPDATE chunk SET first_sequence = first_sequence + length(?) WHERE first_sequence = 257'],
    ['so that it is gone', 'DELETE FROM chunk WHERE first_sequence = 257 AND ? IS NOT NULL'],
  ])('%s is said and never handed out; what lies before it is', async (_, sql) => {
    await change(sql, CHANGED);
    await expect(readAll(store.log, 'a')).rejects.toMatchObject(damaged('of team a'));
    await expect(store.log.find('a', 'event-300')).rejects.toMatchObject(damaged('of team a'));
    const limit = { events: 500, bytes: 1_000_000 };
    expect((await store.log.read('a', 0, limit)).map(({ sequence }) => sequence)).toEqual(countTo(256));
    expect((await store.log.find('a', 'event-9'))?.sequence).toBe(9);
    expect(await readAll(store.log, 'b')).toMatchObject([{ id: 'b1' }]);
  });

  it.each([
    ['a row of text', "UPDATE chunk SET body = replace(body, 'text', 'SIEM') WHERE first_sequence = 513"],
    ['a row that is now another team’s', 'UPDATE chunk SET team_no = 2 WHERE first_sequence = 513'],
    ['the last row, which is gone', 'DELETE FROM chunk WHERE first_sequence = 513'],
    ['the end of the log', "UPDATE team SET last_sequence = 700 WHERE id = 'a'"],
  ])('is found in %s', async (_, sql) => {
    await change(sql);
    await expect(readAll(store.log, 'a')).rejects.toMatchObject(damaged('of team a'));
  });

  it.each([
    [
      'events of a team that is not there',
      'UPDATE chunk SET team_no = 9 WHERE first_sequence = 513',
      'events of a team 9',
    ],
    ['tables of another version', 'PRAGMA user_version = 2', 'not those of schema version 2'],
  ])('keeps the store from opening: %s', async (_, sql, message) => {
    await store.close();
    const database = new DatabaseSync(join(folder, 'trailproof.db'));
    database.exec(sql);
    expect(open).toThrow(message);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; UPDATE chunk SET team_no = 1 WHERE team_no = 9`);
    database.close();
    store = open();
  });

  it('is not taken for what retention deleted', async () => {
    await store.log.deleteThrough('a', 256);
    expect((await readAll(store.log, 'a')).map(({ sequence }) => sequence)[0]).toBe(257);
    await change('DELETE FROM chunk WHERE first_sequence = 257');
    await expect(readAll(store.log, 'a')).rejects.toMatchObject(damaged('has lost events 257 to 512'));
  });

  it('gives no place twice: a log whose end is not known takes nothing, the others do', async () => {
    await change("UPDATE team SET last_sequence = 256 WHERE id = 'a'");
    const both = [store.log.append([newEvent('a', 'new')]), store.log.append([newEvent('b', 'new')])];
    expect(await Promise.allSettled(both)).toMatchObject([
      { status: 'rejected', reason: damaged('should end with event 256 and ends with 513') },
      { status: 'fulfilled', value: [{ kind: 'appended', sequence: 2 }] },
    ]);
  });

  it('of ids keeps what may be a repeat from being taken for new, and nothing else', async () => {
    await store.log.append(countTo(300).map((n) => newEvent('b', `id-${1_000 + n}`)));
    await change("UPDATE id_block SET body = replace(body, 'id-1100 ', 'id-11oo ')");
    await expect(store.log.find('b', 'id-1100')).rejects.toMatchObject(damaged('in the ids of events 1 to'));
    await expect(store.log.append([newEvent('b', 'id-1101')])).rejects.toMatchObject(damaged('in the ids of events'));
    expect(await store.log.append([newEvent('b', 'id-1299'), newEvent('b', 'id-2000')])).toEqual([
      { kind: 'duplicate', sequence: 300 },
      { kind: 'appended', sequence: 302 },
    ]);
    expect(await readAll(store.log, 'b')).toHaveLength(302);
  });

  it('stays where it is while the log grows behind it', async () => {
    await change("UPDATE chunk SET body = replace(body, 'text', 'SIEM') WHERE first_sequence = 513");
    for (const round of countTo(40)) await store.log.append(newEvents('a', 20, `round-${round}-`));
    await expect(readAll(store.log, 'a')).rejects.toMatchObject(damaged('in events 513 to 513'));
    expect(await readAll(store.log, 'a', 513)).toHaveLength(800);
    await store.close();
    store = open();
    await store.log.append([newEvent('a', 'last')]);
    expect((await readAll(store.log, 'a', 1_313)).map(({ id }) => id)).toEqual(['last']);
  });
});
