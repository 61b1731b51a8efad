import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Sequence } from '../../../src/event/logged-event.ts';
import { StorageDamaged } from '../../../src/store/event-log.ts';
import { UnusableDatabase } from '../../../src/store/sqlite/connection.ts';
import type { SqliteStore } from '../../../src/store/sqlite/store.ts';
import { eventually } from '../../rig/events.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { type Load, startLoad } from './load.ts';
import { type Serving, withService } from './process.ts';
import { copyFiles, damageIn, newEvent, openStore, readTeam, removeFolder } from './truth.ts';

/**
 * Copies of the folder that nobody told the service of. One of a single moment (the process stands still meanwhile, as for
 * a snapshot of the file system) holds everything acknowledged before. One made file by file while events are written
 * is not supported: it opens as a true beginning of the log, or is said to be damaged.
 */
export const copiedFolder: Scenario = {
  name: 'store/copied-folder',
  cannotRun: () => (process.platform === 'linux' ? null : 'it looks into /proc'),
  run,
};

const WITHIN_MS = 60_000;
const SNAPSHOTS = 3;
const PLAIN_COPIES = 6;
/** Of the youngest, so that the database does not grow for ever, and its pages are used again. */
const KEPT = 100;
const PIECE_BYTES = 256 * 1024;
const TEAM = 'acme';

async function run({ random, say }: ScenarioContext): Promise<Tally> {
  const root = await temporaryFolder();
  try {
    const folder = join(root.path, 'data');
    const events = await withService(folder, (service) => snapshots(service, folder, join(root.path, 'copy')));
    const outcomes = await plainCopies(join(root.path, 'other'), join(root.path, 'copy'), random);
    say(`${SNAPSHOTS} snapshots whole; of ${PLAIN_COPIES} copies made file by file ${outcomes.join(', ')}`);
    return { events, faults: SNAPSHOTS + PLAIN_COPIES, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
  } finally {
    await root.remove();
  }

  async function snapshots(service: Serving, folder: string, copy: string): Promise<number> {
    const api = await teamApi(service, folder);
    const load = startLoad(api, random);
    try {
      for (let n = 0; n < SNAPSHOTS; n++) await snapshot(service, folder, copy, load);
    } finally {
      await load.end();
      await api.close();
    }
    return load.acknowledged.length;
  }
}

async function snapshot({ pid }: Serving, folder: string, copy: string, load: Load): Promise<void> {
  const before = load.acknowledged.length;
  await eventually(() => assert.ok(load.acknowledged.length > before + 100, 'nothing is acknowledged'), WITHIN_MS, 1);
  process.kill(pid, 'SIGSTOP');
  try {
    await eventually(() => assert.match(readFileSync(`/proc/${pid}/stat`, 'utf8'), /\) [Tt] /), WITHIN_MS, 1);
    mkdirSync(copy);
    for (const name of readdirSync(folder))
      if (statSync(join(folder, name)).isFile()) copyFileSync(join(folder, name), join(copy, name));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const acknowledged = [...load.acknowledged];
  assert.deepEqual(damageIn(copy), []);
  const store = openStore(copy);
  try {
    const ids = new Set((await readTeam(store.log, TEAM)).map(({ id }) => id));
    assert.equal(
      acknowledged.slice(0, before).filter((id) => !ids.has(id)).length,
      0,
      'acknowledged events are missing',
    );
  } finally {
    await store.close();
    removeFolder(copy);
  }
}

/** By sequence: the hash of the event's JSON. */
type Truth = ReadonlyMap<Sequence, string>;

/** Counts what became of the copies. */
async function plainCopies(folder: string, copy: string, random: Random): Promise<string[]> {
  mkdirSync(folder);
  const seen = new Map<string, number>();
  const store = openStore(folder);
  try {
    const truth = new Map<Sequence, string>();
    const writer = writerOf(store, truth, random);
    await writer(20);
    for (let n = 0; n < PLAIN_COPIES; n++) {
      await copyPiecewise(folder, copy, writer, random);
      const outcome = await judge(copy, truth);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      removeFolder(copy);
      await store.log.deleteThrough(TEAM, (await store.log.bounds(TEAM)).last - KEPT);
    }
  } finally {
    await store.close();
  }
  return [...seen].map(([outcome, count]) => `${count} ${outcome}`).sort();
}

/** Appends so many commits of large events: the write-ahead log is moved into the database every few dozen of them. */
function writerOf(
  store: SqliteStore,
  truth: Map<Sequence, string>,
  random: Random,
): (commits: number) => Promise<void> {
  const large = newEvent(random, TEAM, 'large', 14_000);
  let n = 0;
  return async (commits) => {
    for (let made = 0; made < commits; made++) {
      n += 1;
      const own = newEvent(random, TEAM, `small-${n}`);
      const json = large.json.replace('"large"', `"large-${n}"`);
      const twin = { ...large, id: `twin-${n}`, json: json.replace('large-', 'twin-'), hash: `twin ${n}` };
      const { last } = await store.log.bounds(TEAM);
      await store.log.append([own, { ...large, id: `large-${n}`, json, hash: `hash ${n}` }, twin]);
      const limit = { events: 3, bytes: Number.POSITIVE_INFINITY };
      for (const event of await store.log.read(TEAM, last, limit))
        truth.set(event.sequence, hash('sha256', event.json));
    }
  };
}

async function copyPiecewise(
  folder: string,
  copy: string,
  write: (commits: number) => Promise<void>,
  random: Random,
): Promise<void> {
  copyFiles(folder, copy, []);
  for (const name of random.shuffled(['trailproof.db', 'trailproof.db-wal', 'trailproof.db-shm'])) {
    const [from, to] = [openSync(join(folder, name), 'r'), openSync(join(copy, name), 'wx')];
    try {
      const block = Buffer.alloc(Math.ceil(fstatSync(from).size / random.between(1, 4)) + PIECE_BYTES);
      for (let at = 0, read = 1, pieces = 0; read > 0; at += read, pieces += 1) {
        read = readSync(from, block, 0, block.length, at);
        writeSync(to, block, 0, read, at);
        if (pieces < 4) await write(random.pick([0, 1, 4, 40]));
      }
    } finally {
      closeSync(from);
      closeSync(to);
    }
  }
}

/** Whatever the copy gives is in the log; where it ends too early, or misses some, that is said. */
async function judge(copy: string, truth: Truth): Promise<'whole' | 'refused' | 'damaged'> {
  const damage = damageIn(copy);
  let store: SqliteStore;
  try {
    store = openStore(copy);
  } catch (error) {
    assert.ok(error instanceof StorageDamaged || error instanceof UnusableDatabase, `${error}`);
    return 'refused';
  }
  try {
    const { first, last } = await store.log.bounds(TEAM);
    for (let after = first - 1; after < last; ) {
      for (const event of await store.log.read(TEAM, after, { events: 20, bytes: 4 * 1024 * 1024 })) {
        assert.equal(event.sequence, ++after, 'the copy has a hole');
        assert.equal(hash('sha256', event.json), truth.get(after), `another event ${after} (${event.id})`);
      }
    }
    return 'whole';
  } catch (error) {
    if (!(error instanceof StorageDamaged)) throw error;
    assert.ok(damage.length > 0, 'it cannot be read, and doctor finds nothing');
    return 'damaged';
  } finally {
    await store.close();
  }
}
