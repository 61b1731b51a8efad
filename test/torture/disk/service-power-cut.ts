import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openAccountDatabase } from '../../../src/auth/account-database.ts';
import { loadAccountsSecret } from '../../../src/config/accounts-secret.ts';
import { loadMasterKey } from '../../../src/config/master-key.ts';
import { secretOwner } from '../../../src/delivery/open-destination.ts';
import { SecretBox } from '../../../src/secrets.ts';
import type { StoredDestination } from '../../../src/store/destinations.ts';
import { startService, temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { cutManyTimes } from './cuts.ts';
import { whyNoDisk } from './faulty-disk.ts';
import { startLoad } from './load.ts';
import { judgeAll, reached, type ServiceOnDisk, startOnDisk, TEAM } from './service-on-disk.ts';

const SIZES = { short: { runs: 1, events: 800, cuts: 10 }, full: { runs: 2, events: 6_000, cuts: 40 } };

/** The real service under load: the power is cut for good, it starts again on what is left, and everything must arrive. */
export const servicePowerCut: Scenario = {
  name: 'disk/power-cut',
  uncertain: 'the power was cut before the cursor was written',
  inShort: true,
  withinSeconds: 240,
  cannotRun: whyNoDisk,
  run: async ({ size, random, say }): Promise<Tally> => {
    const { runs, events, cuts } = SIZES[size];
    const tallies: Omit<Tally, 'faults'>[] = [];
    for (let run = 0; run < runs; run++) tallies.push(await runOnce(random.fork(`run ${run}`), events, cuts));
    say(`${runs * cuts} power cuts of ${runs} runs looked at, and ${runs} after which the service went on`);
    const sum = (count: (tally: Omit<Tally, 'faults'>) => number): number =>
      tallies.reduce((total, tally) => total + count(tally), 0);
    return {
      events: sum((tally) => tally.events),
      faults: runs * (cuts + 1),
      lost: sum((tally) => tally.lost),
      duplicated: sum((tally) => tally.duplicated),
      deadLettered: sum((tally) => tally.deadLettered),
      countersExact: tallies.every(({ countersExact }) => countersExact === true),
    };
  },
};

async function runOnce(random: Random, events: number, cuts: number): Promise<Omit<Tally, 'faults'>> {
  const rig = await startOnDisk(`${random.next()}`);
  const rest = await temporaryFolder();
  let url = rig.service.url;
  const load = startLoad({
    ...{ url: () => url, key: rig.api.key, random, prefix: 'p' },
    ...{ producers: 5, batches: [1, 1, 1, 20, 120] },
  });
  try {
    await rig.disk.fail({ syncMs: random.pick([null, [1, 3]]) });
    await reached(load, events);
    await rig.service.kill();
    const acknowledged = [...load.acknowledged];
    const { place } = await rig.disk.state();
    await rig.disk.cut(place, random.pick(['ordered', 'forgetful']), `${random.next()}`, rest.path);
    const again = await startService(rest.path, { PORT: new URL(url).port });
    let tally: Omit<Tally, 'faults'>;
    try {
      url = again.url;
      // What had no answer is sent again, and new events follow.
      await reached(load, load.count() + events / 4);
      await load.stop();
      tally = await judgeAll(rig, load);
    } finally {
      await again.kill();
    }
    await cutManyTimes({
      ...{ disk: rig.disk, acknowledged, team: TEAM, count: cuts, from: rig.servedAt, random: random.fork('cuts') },
      look: (folder, at) => lookAtSecrets(folder, at >= rig.madeAt ? rig : null),
    });
    return tally;
  } finally {
    await load.stop().catch(() => {});
    await rig.close();
    await rest.remove();
  }
}

/** The keys of a service that served; and, once something was sealed and somebody has an account, that both open. */
function lookAtSecrets(folder: string, made: ServiceOnDisk | null): void {
  const { key, created } = loadMasterKey({ dataDir: folder, masterKey: null, masterKeyFile: null });
  assert.ok(!created, 'the master key is lost');
  assert.ok(existsSync(join(folder, 'accounts.key')), 'the secret of the accounts is lost');
  const box = new SecretBox(key);
  loadAccountsSecret(folder, box);
  if (!made) return;
  const accounts = openAccountDatabase(join(folder, 'accounts.db'));
  try {
    assert.ok(accounts.byEmail(made.email), 'the account is lost');
  } finally {
    accounts.close();
  }
  const database = new DatabaseSync(join(folder, 'trailproof.db'));
  try {
    const kept = database
      .prepare('SELECT body FROM destination')
      .all()
      .map(({ body }) => JSON.parse(String(body)) as StoredDestination);
    assert.equal(kept.length, made.destinations.size, 'a destination is lost');
    for (const { id, sealed } of kept)
      for (const [name, secret] of Object.entries(sealed)) box.open(secret, secretOwner(id, name));
  } finally {
    database.close();
  }
}
