import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type LoggedEvent, plainEvent, type TeamId } from '../../../src/event/logged-event.ts';

import { StorageDamaged } from '../../../src/store/event-log.ts';
import { UnusableDatabase } from '../../../src/store/sqlite/connection.ts';
import { openSqliteLogReader, type SqliteLogReader } from '../../../src/store/sqlite/store.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { copyFiles, damageIn, newEvent, openStore, removeFolder } from './truth.ts';

/**
 * Bits that change on the disk, anywhere in `trailproof.db`: in the header, in b-tree pages, in bodies. Whatever is read
 * is as it was appended and without a hole, or it is said that something is damaged; what is written afterwards gets a
 * place of its own or is refused.
 */
export const damagedPage: Scenario = { name: 'store/damaged-page', inShort: true, withinSeconds: 300, run };

const TEAMS = ['acme', 'globex', 'initech'];
const PAGE_BYTES = 4_096;
const PAGE = { events: 200, bytes: 1024 * 1024 };

type Truth = ReadonlyMap<TeamId, readonly LoggedEvent[]>;

interface Seen {
  /** Not opened, or not read to its end. */
  isSaid: boolean;
  read: number;
}

async function run({ size, random, say }: ScenarioContext): Promise<Tally> {
  const root = await temporaryFolder();
  const folder = join(root.path, 'data');
  const copy = join(root.path, 'copy');
  const tally = { harmless: 0, said: 0, refusedToOpen: 0, read: 0 };
  try {
    const { truth, sound } = await write(folder, random);
    const rounds = size === 'short' ? 25 : 300;
    for (let n = 0; n < rounds; n++) {
      copyFiles(folder, copy, []);
      writeFileSync(join(copy, 'trailproof.db'), damage(Buffer.from(sound), random));
      const seen = await look(copy, truth, random);
      tally.read += seen.read;
      if (seen.isSaid) tally.said += 1;
      else tally.harmless += 1;
      removeFolder(copy);
    }
    assert.ok(tally.said > rounds / 10, `only ${tally.said} of ${rounds} were noticed: the bench strikes nothing`);
    say(
      `${rounds} times: ${tally.said} said, ${tally.harmless} touched nothing that is read; ${tally.read} events read as they were written`,
    );
    const events = [...truth.values()].reduce((sum, of) => sum + of.length, 0);
    return { events, faults: rounds, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
  } finally {
    await root.remove();
  }
}

/** Logs with rows of all kinds: full, compressed, text, large ones that need pages of their own, and in the journal. */
async function write(folder: string, random: Random): Promise<{ truth: Truth; sound: Buffer }> {
  copyFiles(folder, folder, []);
  let store = openStore(folder);
  try {
    for (let n = 0; n < 3; n++) {
      await store.log.append(TEAMS.flatMap((team) => [newEvent(random, team, `early-${n}`)]));
      await store.close();
      store = openStore(folder);
    }
    for (let n = 0; n < 60; n++)
      for (const team of TEAMS) {
        const count = random.pick([1, 1, 2, 5, 40]);
        const words = random.pick([3, 3, 3, 60]);
        await store.log.append(Array.from({ length: count }, (_, i) => newEvent(random, team, `${n}-${i}`, words)));
      }
    const truth = new Map<TeamId, LoggedEvent[]>();
    for (const team of TEAMS) {
      const events: LoggedEvent[] = [];
      for (let page = await store.log.read(team, 0, PAGE); page.length > 0; ) {
        events.push(...page.map(plainEvent));
        page = await store.log.read(team, events.length, PAGE);
      }
      truth.set(team, events);
    }
    // As the service leaves it when it is killed.
    const database = new DatabaseSync(join(folder, 'trailproof.db'));
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    return { truth, sound: readFileSync(join(folder, 'trailproof.db')) };
  } finally {
    await store.close();
  }
}

/** One to a few bits, or a stretch of bytes, or a page that holds another's content, as failing disks leave them. */
function damage(bytes: Buffer, random: Random): Buffer {
  const at = (): number => random.between(0, bytes.length - 1);
  const pages = bytes.length / PAGE_BYTES;
  const how = random.next();
  if (how < 0.5)
    for (let n = random.between(1, 8); n > 0; n--) {
      const place = random.next() < 0.1 ? random.between(0, 99) : at();
      bytes[place]! ^= 1 << random.between(0, 7);
    }
  else if (how < 0.75) random.bytes(random.between(1, 600)).copy(bytes, at());
  else {
    const [from, to] = [random.between(1, pages - 1), random.between(1, pages - 1)];
    if (how < 0.9) bytes.copy(bytes, to * PAGE_BYTES, from * PAGE_BYTES, (from + 1) * PAGE_BYTES);
    else bytes.fill(0, to * PAGE_BYTES, (to + 1) * PAGE_BYTES);
  }
  return bytes;
}

async function look(folder: string, truth: Truth, random: Random): Promise<Seen> {
  const seen = { isSaid: false, read: 0 };
  const said = (error: unknown): void => {
    const isClear = error instanceof StorageDamaged || error instanceof UnusableDatabase;
    if (!isClear) throw error;
    seen.isSaid = true;
  };
  const damage = damageIn(folder);
  let store: ReturnType<typeof openStore>;
  let reader: SqliteLogReader;
  try {
    store = openStore(folder);
  } catch (error) {
    said(error);
    return seen;
  }
  try {
    reader = openSqliteLogReader({ folder });
    try {
      for (const [team, events] of truth) {
        const before = seen.isSaid;
        seen.isSaid = false;
        await readAll(reader, team, events, seen).catch(said);
        for (let n = 0; n < 3; n++) await findOne(reader, random.pick(events)).catch(said);
        if (seen.isSaid) assert.ok(damage.length > 0, `the log of ${team} cannot be read, and doctor finds nothing`);
        seen.isSaid ||= before;
      }
      for (const [team, events] of truth) await writeOn(store, reader, team, events, random).catch(said);
    } finally {
      reader.close();
    }
  } catch (error) {
    said(error);
  } finally {
    await store.close();
  }
  return seen;
}

/** Every event that is read is the one that was written at its place, up to the end or to a damage. */
async function readAll(
  reader: SqliteLogReader,
  team: TeamId,
  events: readonly LoggedEvent[],
  seen: Seen,
): Promise<void> {
  for (let after = 0; after < events.length; ) {
    const page = await reader.read(team, after, PAGE);
    assert.ok(
      page.length > 0,
      `the log of ${team} ends after ${after} of ${events.length} events, and nothing is said`,
    );
    for (const event of page) assert.deepEqual(plainEvent(event), events[after++], `another event ${after} of ${team}`);
    seen.read += page.length;
  }
  assert.deepEqual(await reader.read(team, events.length, PAGE), []);
}

async function findOne(reader: SqliteLogReader, event: LoggedEvent): Promise<void> {
  const found = await reader.find(event.team, event.id);
  // Ids of their own row have no checksum: one may not be known any longer, but of none is said what is not so.
  if (found) assert.deepEqual(plainEvent(found), event);
}

/** What is taken now gets the next place, and no other. */
async function writeOn(
  store: ReturnType<typeof openStore>,
  reader: SqliteLogReader,
  team: TeamId,
  events: readonly LoggedEvent[],
  random: Random,
): Promise<void> {
  const added = newEvent(random, team, 'one more');
  const [appended] = await store.log.append([added]);
  assert.deepEqual(appended, { kind: 'appended', sequence: events.length + 1 });
  const [read] = await reader.read(team, events.length, PAGE);
  assert.equal(read?.id, added.id);
}
