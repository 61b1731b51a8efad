import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { producerEvent } from '../../rig/events.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { command, type Serving, withService } from './process.ts';
import { openStore, readTeam } from './truth.ts';

/**
 * A data folder that may not be written. At start it is refused in words; taken away from a running service it costs
 * nothing acknowledged, since the files are open; given back, the service starts.
 */
export const readOnly: Scenario = {
  name: 'store/read-only',
  inShort: true,
  cannotRun: () => {
    if (process.getuid === undefined) return 'modes of files are not kept here';
    const isHeld = process.getuid() !== 0 || spawnSync(AS_OTHERS[0]!, [...AS_OTHERS.slice(1), 'true']).status === 0;
    return isHeld ? null : 'modes of files do not hold root back, and setpriv is not there';
  },
  run,
};

/** Root without the right to pass over modes. */
const AS_OTHERS = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--'];
const SAID =
  /cannot be written \(.*\): its owner must be|may not open .*: change its permissions|cannot be written\. Its owner/;

async function run({ size, random, say }: ScenarioContext): Promise<Tally> {
  const folder = await temporaryFolder();
  const as = process.getuid?.() === 0 ? { through: AS_OTHERS } : {};
  try {
    const events = await withService(folder.path, (service) => whileServing(folder.path, service, size), as);
    const files = ['trailproof.db', 'accounts.db', 'lock.db', 'lock.pid'].filter((name) =>
      readdirSync(folder.path).includes(name),
    );
    const parts = [['.'], ...files.map((name) => [name]), ['.', ...files]];
    const tried = size === 'short' ? [['lock.db']] : random.shuffled(parts);
    for (const names of tried) {
      allow(folder.path, names, false);
      const { code, said } = await command(folder.path, ['serve'], as).finally(() => allow(folder.path, names, true));
      assert.equal(code, 1, `${names.join(', ')} read-only: ${said}`);
      assert.match(said, SAID, `${names.join(', ')} read-only`);
    }
    if (size === 'full') await withService(folder.path, async () => {}, as);
    await mustHold(folder.path, events);
    say(`read-only at start: ${tried.map((names) => names.join(' + ')).join('; ')}`);
    return {
      events: events.length,
      faults: tried.length + 1,
      ...{ lost: 0, duplicated: 0, deadLettered: 0, countersExact: null },
    };
  } finally {
    allow(folder.path, ['.'], true);
    await folder.remove();
  }
}

function allow(folder: string, names: readonly string[], writable: boolean): void {
  for (const name of names) {
    const mode = name === '.' ? 0o500 : 0o400;
    chmodSync(join(folder, name), writable ? mode | 0o200 : mode);
  }
}

/** Sends events while everything becomes read-only and writable again. Returns the ids that were acknowledged. */
async function whileServing(folder: string, service: Serving, size: string): Promise<string[]> {
  const api = await teamApi(service, folder);
  const acknowledged: string[] = [];
  try {
    const send = async (n: number): Promise<void> => {
      const events = Array.from({ length: 20 }, (_, i) => producerEvent(n * 20 + i) as { id: string });
      const { status } = await api.post('/v1/events', 'application/json', Buffer.from(JSON.stringify(events)));
      assert.ok(status === 200 || status === 503, `${status} while the folder is read-only`);
      if (status === 200) acknowledged.push(...events.map(({ id }) => id));
    };
    const rounds = size === 'short' ? 10 : 100;
    const names = ['.', ...readdirSync(folder).filter((name) => /\.db(-wal|-shm)?$/.test(name))];
    for (let n = 0; n < rounds; n++) {
      if (n === 2) allow(folder, names.toReversed(), false);
      if (n === rounds - 2) allow(folder, names, true);
      await send(n);
    }
    const before = acknowledged.length;
    await send(rounds);
    assert.equal(acknowledged.length, before + 20, 'writable again, nothing is taken');
    return acknowledged;
  } finally {
    await api.close();
  }
}

async function mustHold(folder: string, ids: readonly string[]): Promise<void> {
  const store = openStore(folder);
  try {
    const stored = new Set((await readTeam(store.log, 'acme')).map(({ id }) => id));
    assert.deepEqual(
      ids.filter((id) => !stored.has(id)),
      [],
      'acknowledged while read-only, and lost',
    );
  } finally {
    await store.close();
  }
}
