import assert from 'node:assert/strict';
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type LoggedEvent, type NewEvent, plainEvent, type TeamId } from '../../../src/event/logged-event.ts';
import { sealEvent } from '../../../src/event/seal.ts';

import { sqliteDataFolder } from '../../../src/store/sqlite/data-folder.ts';
import { openSqliteStore, type SqliteStore } from '../../../src/store/sqlite/store.ts';
import type { Random } from '../random.ts';

const CATEGORIES = ['authentication', 'api_access', 'administrative'];
const PAGE = { events: 500, bytes: 1024 * 1024 };

export function openStore(folder: string): SqliteStore {
  return openSqliteStore({ folder, clock: { now: () => Date.now() }, defaultRetentionDays: 365 });
}

/** Everything the team's log holds, oldest first; gapless from 1, or this throws. */
export async function readTeam(log: Pick<SqliteStore['log'], 'read'>, team: TeamId): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (;;) {
    const page = await log.read(team, events.length, PAGE);
    if (page.length === 0) return events;
    for (const event of page) {
      assert.equal(event.sequence, events.length + 1, `the log of ${team} has a hole or a repeat`);
      events.push(plainEvent(event));
    }
  }
}

/** An event as ingest would hand it over; `words` make it as large as wanted, and hard to guess. */
export function newEvent(random: Random, team: TeamId, id: string, words = 4): NewEvent {
  const eventCategory = random.pick(CATEGORIES);
  return sealEvent({
    timestamp: new Date(1_768_478_400_000 + random.between(0, 86_400_000)).toISOString(),
    id,
    version: '1.0',
    eventType: `custom.${eventCategory}`,
    eventCategory,
    status: 'success',
    description: Array.from({ length: words }, () => random.bytes(12).toString('base64')).join(' '),
    context: { teamId: team },
  });
}

/** Copies the named files that are there; the copy shares the reserve, which only takes space. */
export function copyFiles(from: string, to: string, names: readonly string[]): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of names) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  if (existsSync(join(from, 'reserve')) && !existsSync(join(to, 'reserve')))
    linkSync(join(from, 'reserve'), join(to, 'reserve'));
}

/** What `doctor` and `backup` find wrong with the stored data. */
export function damageIn(folder: string): readonly string[] {
  return sqliteDataFolder.examine(folder, 'thorough', () => {}).damage;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
