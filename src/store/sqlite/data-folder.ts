import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { DataFolder, Examined, Progress } from '../data-folder.ts';
import { StorageDamaged } from '../event-log.ts';
import { type ChunkRow, checksumOf, decodeChunk } from './chunk.ts';
import { asDamage, Connection } from './connection.ts';
import { examineDestinations } from './destinations.ts';
import { examineIds } from './event-ids.ts';
import { JournalReader, missing } from './journal.ts';
import { MIGRATIONS } from './migrations.ts';
import { createTexts } from './row.ts';
import { examineTeams } from './team-directory.ts';

export const sqliteDataFolder: DataFolder = { copy, examine };

const LOG = 'trailproof.db';
const ACCOUNTS = 'accounts.db';
/** 4 MiB: between two steps the progress is shown. */
const PAGES_PER_STEP = 1_024;
const WAIT_MS = 10_000;
const MOST_DAMAGE = 20;

/**
 * Pages are copied from a snapshot that is held open. A reader keeps no writer waiting; without the snapshot each commit
 * of the service would make the copy begin again. What it costs the service is a write-ahead log that cannot be emptied
 * meanwhile. Both snapshots are taken at once, accounts last: nobody is in a team without having an account.
 */
async function copy(from: string, to: string, onProgress: Progress): Promise<void> {
  const names = [LOG, ACCOUNTS].filter((name) => existsSync(join(from, name)));
  const sources: DatabaseSync[] = [];
  try {
    for (const name of names) {
      const source = new DatabaseSync(join(from, name), { readOnly: true, timeout: WAIT_MS });
      sources.push(source);
      source.exec('BEGIN');
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    }
    const sizes = sources.map((source) => Number(source.prepare('PRAGMA page_count').get()?.['page_count']));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    let before = 0;
    for (const [i, source] of sources.entries()) {
      await backup(source, join(to, names[i]!), {
        rate: PAGES_PER_STEP,
        progress: ({ totalPages, remainingPages }) => onProgress(before + totalPages - remainingPages, total),
      });
      before += sizes[i]!;
      seal(join(to, names[i]!));
    }
    onProgress(total, total);
  } catch (error) {
    throw asDamage(from, error) ?? error;
  } finally {
    for (const source of sources) source.close();
  }
}

/** One file and nothing beside it, until a service starts on it. */
function seal(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = DELETE');
  } finally {
    database.close();
  }
}

function examine(folder: string, mode: 'quick' | 'thorough', onProgress: Progress): Examined {
  const damage: string[] = [];
  let counted = { teams: 0, events: 0 };
  for (const name of [LOG, ACCOUNTS]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    try {
      const connection = new Connection(path);
      try {
        damage.push(...structureOf(connection, mode).map((what) => `${name}: ${what}`));
        if (name === LOG) counted = examineLog(connection, damage, onProgress);
      } finally {
        connection.close();
      }
    } catch (error) {
      damage.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { ...counted, damage: damage.slice(0, MOST_DAMAGE) };
}

/** What SQLite itself finds: pages that contradict each other, and thoroughly also indexes that miss a row. */
function structureOf(connection: Connection, mode: 'quick' | 'thorough'): string[] {
  const check = mode === 'quick' ? 'quick_check' : 'integrity_check';
  return connection
    .all<Record<string, string>>(`PRAGMA ${check}(${MOST_DAMAGE})`)
    .map((row) => Object.values(row)[0] ?? '')
    .filter((text) => text !== 'ok');
}

/** What only Trailproof knows: that each event is there, as it was written. */
function examineLog(
  connection: Connection,
  damage: string[],
  onProgress: Progress,
): Pick<Examined, 'teams' | 'events'> {
  const version = connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  if (version > MIGRATIONS.length) damage.push(`${LOG}: its schema version ${version} is not known`);
  // An earlier version's rows have nothing to compare with; a later one's are not ours to judge.
  if (version !== MIGRATIONS.length)
    return connection.get('SELECT count(DISTINCT team_no) AS teams, coalesce(sum(count), 0) AS events FROM chunk')!;
  const say = (error: unknown): void => {
    if (!(error instanceof StorageDamaged)) throw error;
    damage.push(error.message);
  };
  // One snapshot, so that what is appended or deleted meanwhile makes no hole.
  connection.exec('BEGIN');
  const total = connection.get<{ events: number }>('SELECT coalesce(sum(count), 0) AS events FROM chunk')!.events;
  const teams = connection.all<PlaceRow>(
    'SELECT no, id, first_kept AS kept, last_sequence AS last FROM team ORDER BY no',
  );
  let events = 0;
  for (const team of teams)
    try {
      for (const count of rowsOf(connection, team, say)) {
        events += count;
        onProgress(events, total);
      }
    } catch (error) {
      say(error);
    }
  try {
    events += looseIn(connection, new Map(teams.map(({ no, last }) => [no, last])), say);
  } catch (error) {
    say(error);
  }
  try {
    examineTeams(connection);
    examineIds(connection);
  } catch (error) {
    say(error);
  }
  examineDestinations(connection, say);
  return { teams: teams.filter(({ last }) => last > 0).length, events };
}

/** How many events the journal holds that have not moved to their teams' rows; `ends`: where those end, by team. */
function looseIn(connection: Connection, ends: Map<number, number>, say: (error: unknown) => void): number {
  let events = 0;
  for (const { places, parts } of new JournalReader(connection).all()) {
    if (parts instanceof StorageDamaged) say(parts);
    for (const [teamNo, team, first, count] of places) {
      const end = ends.get(teamNo) ?? 0;
      if (first > end + 1) say(missing(team, end + 1, first - 1));
      const last = Math.max(end, first + count - 1);
      events += last - Math.max(end, first - 1);
      ends.set(teamNo, last);
    }
  }
  return events;
}

interface PlaceRow {
  readonly no: number;
  readonly id: string;
  readonly kept: number;
  readonly last: number;
}

/** Yields how many events each sound row holds. */
function* rowsOf(connection: Connection, team: PlaceRow, say: (error: unknown) => void): Generator<number> {
  const rows = connection.iterate<ChunkRow>(
    'SELECT first_sequence AS first, count, body, checksum FROM chunk WHERE team_no = ? ORDER BY first_sequence',
    team.no,
  );
  const texts = createTexts();
  let next = team.kept;
  const lost = (through: number): void =>
    say(new StorageDamaged(`${LOG} is damaged: it has lost events ${next} to ${through} of team ${team.id}`));
  for (const row of rows) {
    if (row.first !== next) lost(row.first - 1);
    next = row.first + row.count;
    try {
      // What has no checksum is sound when it can be read; the others need not be unpacked for it.
      if (row.checksum === null || row.checksum !== checksumOf(team.no, row)) decodeChunk(team.id, team.no, row, texts);
      yield row.count;
    } catch (error) {
      say(error);
    }
  }
  if (next !== team.last + 1) lost(team.last);
}
