import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Api, openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import type { Health } from '../../../src/contract/destinations.ts';
import { startSandbox } from '../../../src/sandbox.ts';
import { eventually } from '../../rig/events.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { type Load, startLoad } from './load.ts';
import { command, type Serving, withService } from './process.ts';
import { damageIn, openStore, readTeam } from './truth.ts';

/**
 * Backups of a service that takes and delivers events without a pause. It fails no request meanwhile; each backup holds
 * what was acknowledged before it began, without a hole and with exact counters; a service starts on it, says what was
 * restored, and delivers what its cursor has not passed once more, which SIEMs tell by the id.
 */
export const backup: Scenario = {
  name: 'store/backup',
  uncertain: 'a restored backup does not know what was delivered after it was made',
  inShort: true,
  run,
};

const WITHIN_MS = 60_000;
const KINDS = ['splunk', 'elastic'];

interface Copy {
  readonly folder: string;
  /** What was acknowledged when it began. */
  readonly acknowledged: readonly string[];
}

async function run({ size, random, say }: ScenarioContext): Promise<Tally> {
  const root = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 1 });
  const folder = join(root.path, 'data');
  const copies: Copy[] = [];
  try {
    const load = await withService(folder, async (service) => {
      const api = await teamApi(service, folder);
      try {
        for (const kind of KINDS) {
          const { settings } = sandbox.standIns.get(kind)!;
          await api.json('POST', '/v1/destinations', { kind, name: kind, settings, startAt: 'beginning' });
        }
        return await whileLoaded(api, random, async (running) => {
          for (let n = 0; n < (size === 'short' ? 1 : 5); n++)
            copies.push(await backUp(folder, join(root.path, `copy-${n}`), running));
        });
      } finally {
        await api.close();
        assert.equal(await service.stop(), 0, service.said());
      }
    });
    let deadLettered = 0;
    for (const copy of copies) deadLettered += await mustBeWhole(copy);
    for (const copy of size === 'short' ? [] : copies.slice(-2)) await mustServe(copy, sandbox.standIns);
    const standIn = sandbox.standIns.get('splunk')!;
    say(
      `${copies.length} backups beside ${load.acknowledged.length} events; ${copies.map((copy) => copy.acknowledged.length).join(', ')} were acknowledged when they began`,
    );
    return {
      ...{ events: load.acknowledged.length, faults: copies.length, lost: 0 },
      ...{ duplicated: standIn.counts().duplicates, deadLettered, countersExact: true },
    };
  } finally {
    await sandbox.close();
    await root.remove();
  }
}

async function whileLoaded(
  api: Api,
  random: ScenarioContext['random'],
  work: (load: Load) => Promise<void>,
): Promise<Load> {
  const load = startLoad(api, random);
  try {
    await work(load);
  } finally {
    await load.end();
  }
  return load;
}

async function backUp(folder: string, to: string, load: Load): Promise<Copy> {
  const before = load.acknowledged.length;
  await eventually(() => assert.ok(load.acknowledged.length > before, 'nothing is acknowledged'), WITHIN_MS, 5);
  const acknowledged = [...load.acknowledged];
  const { code, said } = await command(folder, ['backup', to, '--with-master-key', '--json']);
  assert.equal(code, 0, said);
  const report = JSON.parse(said) as { events: number; teams: number; masterKey: string };
  assert.ok(report.events >= acknowledged.length, said);
  assert.equal(report.masterKey, 'included');
  const names = readdirSync(to).sort();
  assert.deepEqual(names, ['accounts.db', 'accounts.key', 'backup.json', 'master.key', 'trailproof.db']);
  for (const name of names) assert.equal(statSync(join(to, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(to).mode & 0o777, 0o700);
  assert.ok(!readdirSync(join(to, '..')).some((name) => name.includes('incomplete')), 'something incomplete is left');
  return { folder: to, acknowledged };
}

/** Reads a copy with the store itself. Returns how many dead letters it has. */
async function mustBeWhole({ folder, acknowledged }: Copy): Promise<number> {
  assert.deepEqual(damageIn(folder), []);
  const looked = `${folder}-looked-at`;
  cpSync(folder, looked, { recursive: true });
  const store = openStore(looked);
  let dead = 0;
  try {
    const ids = new Set((await readTeam(store.log, 'acme')).map(({ id }) => id));
    const missing = acknowledged.filter((id) => !ids.has(id));
    assert.equal(missing.length, 0, `${missing.length} events acknowledged before the backup began are not in it`);
    const { last } = await store.log.bounds('acme');
    for (const { id, name } of await store.destinations.list()) {
      const progress = (await store.destinations.progress(id))!;
      const { items } = await store.destinations.deadLetters(id, { limit: 100_000 });
      assert.ok(progress.cursor <= progress.scanned && progress.scanned <= last, `${name} is ahead of its log`);
      assert.equal(progress.matched + progress.filtered, progress.scanned, `${name} counted otherwise than it scanned`);
      assert.equal(progress.deadLettered, items.length, `${name} counts other dead letters than it has`);
      const settled = progress.delivered + progress.deadLettered + progress.filtered;
      assert.equal(
        settled,
        progress.cursor + progress.settledAhead.length,
        `${name} settled other events than it says`,
      );
      dead += items.length;
    }
  } finally {
    await store.close();
  }
  return dead;
}

/** Starts the service on a copy: it announces itself, and goes on delivering from where the copy was. */
async function mustServe(
  { folder, acknowledged }: Copy,
  standIns: Awaited<ReturnType<typeof startSandbox>>['standIns'],
): Promise<void> {
  await withService(folder, async (service: Serving) => {
    assert.match(service.said(), /the data folder is a restored backup/);
    assert.ok(!existsSync(join(folder, 'backup.json')), 'it would be announced again');
    const operator = openApi({ socketPath: operatorSocket(folder) });
    try {
      const found = await operator.json<{ events: { sequence: number; metadata: { lastSequence: number } }[] }>(
        'GET',
        '/v1/events?team=acme&eventType=audit.restored',
      );
      assert.equal(found.events.length, 1);
      assert.equal(found.events[0]!.sequence, found.events[0]!.metadata.lastSequence + 1);
      const { items } = await operator.json<{ items: { id: string; kind: string }[] }>(
        'GET',
        '/v1/destinations?team=acme',
      );
      for (const { id, kind } of items)
        await eventually(async () => {
          const { counts } = await operator.json<Health>('GET', `/v1/destinations/${id}/health?team=acme`);
          assert.equal(counts.pending, 0, `${counts.pending} events wait for ${kind}`);
          assert.ok(counts.matched > found.events[0]!.sequence - 1, 'not everything is counted');
          const at = standIns.get(kind)!.ids();
          assert.equal(acknowledged.filter((event) => !at.has(event)).length, 0, `events are not at ${kind}`);
        }, WITHIN_MS);
    } finally {
      await operator.close();
    }
    assert.equal(await service.stop(), 0, service.said());
  });
}
