import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { openApi } from '../../../src/cli/api.ts';
import { loadAccountsSecret } from '../../../src/config/accounts-secret.ts';
import { loadMasterKey } from '../../../src/config/master-key.ts';
import { secretOwner } from '../../../src/delivery/open-destination.ts';
import { SecretBox } from '../../../src/secrets.ts';
import type { StoredDestination } from '../../../src/store/destinations.ts';
import { Connection } from '../../../src/store/sqlite/connection.ts';
import type { TeamAlerts } from '../../../src/store/teams.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Scenario } from '../scenario.ts';
import { asOperator, createDestination, newKey, startServed, withServed } from './served.ts';
import { examine, type Site, tallyOf, withSite } from './site.ts';

/** The master key is rotated again and again, and killed at it: whatever is sealed opens at every moment. */
export const rotation: Scenario = {
  name: 'crash/rotation',
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 5 : 12;
    const sites = await Promise.all(
      ['a', 'b'].map((name) => withSite(random.fork(name), (site) => strike(site, kills))),
    );
    const tally = tallyOf(sites);
    say(`${tally.faults} kills; every credential, webhook secret and the accounts' secret open after each`);
    return { ...tally, countersExact: true };
  },
};

/** A rotation writes three files and removes one, each in several steps. */
const MOST_STEPS = 17;

async function strike(site: Site, kills: number): Promise<Site> {
  const { folder, random } = site;
  // The first start is one that dies while it makes its keys, at times.
  for (let i = 0; i < Math.ceil(kills / 4); i++) await killed(site, ['serve'], random.between(1, 8));
  await withServed(site, async (url) => {
    const key = await asOperator(site, async (operator) => {
      await operator.json('POST', '/v1/teams', { id: 'acme', name: 'acme' });
      await operator.json('PATCH', '/v1/team?team=acme', { alerts: { webhookUrl: 'http://127.0.0.1:9/hook' } });
      return newKey(operator, 'acme');
    });
    const api = openApi({ url, key });
    for (const kind of ['splunk', 'elastic', 'sentinel']) await createDestination(site, api, kind);
    await api.close();
  });
  const sealed = await opened(folder);
  assert.equal(sealed.size, 5, 'three credentials, a webhook secret and the secret of accounts are sealed');
  for (let i = 0; i < kills; i++) {
    const isInside = random.between(1, 4) > 1;
    await killed(site, ['master-key', 'rotate'], isInside ? random.between(1, MOST_STEPS) : undefined);
    assert.deepEqual(await opened(folder), sealed, 'what was sealed does not open to the same any more');
    await examine(site);
  }
  const last = startServed(folder, { args: ['master-key', 'rotate'] });
  await last.gone;
  assert.deepEqual(await opened(folder), sealed, 'what was sealed does not open to the same any more');
  assert.ok(!existsSync(join(folder, 'master.key.previous')), 'a rotation that ended left an earlier key behind');
  return site;
}

/** Runs a command until it dies at a step of writing files, or at any moment. */
async function killed(site: Site, args: string[], count?: number): Promise<void> {
  const served = startServed(site.folder, {
    args,
    ...(count === undefined ? {} : { killAt: { kind: 'file', count } }),
  });
  try {
    const waitMs = count === undefined ? site.random.between(300, 1_500) : 20_000;
    await Promise.race([served.gone, served.url, new Promise((resolve) => setTimeout(resolve, waitMs).unref())]);
  } finally {
    await served.kill();
  }
  site.kills += 1;
}

/** Everything sealed, in clear, opened with the keys as they lie there: from a copy, since looking may make a file. */
async function opened(folder: string): Promise<Map<string, string>> {
  const copy = await temporaryFolder();
  try {
    for (const file of ['master.key', 'master.key.previous', 'accounts.key', 'trailproof.db', 'trailproof.db-wal'])
      if (existsSync(join(folder, file))) cpSync(join(folder, file), join(copy.path, file));
    const { key, previous, created } = loadMasterKey({ dataDir: copy.path, masterKey: null, masterKeyFile: null });
    assert.ok(!created, 'there is no master key any more');
    const box = new SecretBox(key, previous);
    const clear = new Map([['accounts', loadAccountsSecret(copy.path, box).reveal()]]);
    const connection = new Connection(join(copy.path, 'trailproof.db'), 1_000);
    try {
      for (const { body } of connection.all<{ body: string }>('SELECT body FROM destination')) {
        const { id, sealed }: StoredDestination = JSON.parse(body);
        for (const [name, text] of Object.entries(sealed))
          clear.set(`${id} ${name}`, box.open(text, secretOwner(id, name)).reveal());
      }
      for (const row of connection.all<{ id: string; alerts: string }>('SELECT id, alerts FROM team')) {
        const { webhook }: TeamAlerts = JSON.parse(row.alerts);
        if (webhook) clear.set(`webhook ${row.id}`, box.open(webhook.sealed, `team:${row.id}:webhook`).reveal());
      }
    } finally {
      connection.close();
    }
    return clear;
  } finally {
    await copy.remove();
  }
}
