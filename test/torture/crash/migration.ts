import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NOON } from '../../../src/store/conformance-fixture.ts';
import { Connection } from '../../../src/store/sqlite/connection.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { writeVersion1 } from '../../../src/store/sqlite/version1-fixture.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Scenario } from '../scenario.ts';
import { startVictim, warmUp } from './child.ts';
import { examine, promisedTo, type Site, tallyOf, withSite, withVictim } from './site.ts';

/** A database of the first version, or none, is brought to this version, and the service is killed at it again and again. */
export const migration: Scenario = {
  name: 'crash/migration',
  inShort: true,
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    await warmUp();
    const databases = size === 'short' ? 1 : 5;
    const schemas = await schemasByVersion();
    const sites = await Promise.all(
      ['a', 'b'].map((name) =>
        withSite(random.fork(name), async (site) => {
          for (let i = 0; i < databases; i++) await strike(site, schemas, i % 3 === 2 ? 0 : 700);
          return site;
        }),
      ),
    );
    const tally = tallyOf(sites);
    say(`${tally.faults} kills; ${sites.length * databases} databases complete in the end`);
    return tally;
  },
};

const FILES = ['trailproof.db', 'trailproof.db-wal', 'trailproof.db-shm'];
/** A kill each, before the migration may go to its end. */
const KILLS = 3;

async function strike(site: Site, schemas: readonly string[], events: number): Promise<void> {
  const { folder, random } = site;
  for (const file of FILES) rmSync(join(folder, file), { force: true });
  site.promised.clear();
  if (events > 0) writeVersion1(join(folder, 'trailproof.db'), events);
  for (let n = 1; n <= events; n++) promisedTo(site, 'acme').set(`event-${n}`, n);
  for (let i = 0; i < KILLS; i++) {
    const isInside = random.between(1, 4) > 1;
    const killAt = { worker: 'log', kind: 'statement', count: random.between(1, events > 0 ? 28 : 60) } as const;
    const victim = startVictim(folder, { deliver: false, killAt: isInside ? killAt : null });
    const waitMs = isInside ? 3_000 : random.between(50, 400);
    // One that is ready has come to the end of it.
    await Promise.race([victim.ready, new Promise((resolve) => setTimeout(resolve, waitMs).unref())]);
    await victim.kill();
    site.kills += 1;
    const { version, schema } = await schemaOf(folder);
    assert.equal(schema, schemas[version], `a migration to version ${version + 1} is half done`);
    if (events > 0) assert.ok(version >= 1, 'the schema went back');
  }
  await withVictim(site, { deliver: false }, async ({ teams, keys, log }) => {
    assert.deepEqual(
      (await teams.list()).map(({ id }) => id),
      events > 0 ? ['acme'] : [],
    );
    if (events > 0) assert.equal((await keys.findByHash('hash of k1'))?.id, 'k1');
    const [first] = await log.read('acme', 0, { events: 1, bytes: 1 });
    assert.equal(first?.receivedAt, events > 0 ? NOON : undefined);
  });
  assert.equal((await schemaOf(folder)).version, MIGRATIONS.length);
  await examine(site);
}

/** The schema that each version has, from none at all. */
async function schemasByVersion(): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  try {
    const connection = new Connection(join(folder.path, 'trailproof.db'), 1_000);
    const schemas = [schemaIn(connection)];
    for (const sql of MIGRATIONS) {
      connection.exec(sql);
      schemas.push(schemaIn(connection));
    }
    connection.close();
    return schemas;
  } finally {
    await folder.remove();
  }
}

async function schemaOf(folder: string): Promise<{ version: number; schema: string }> {
  const copy = await temporaryFolder();
  try {
    for (const file of FILES.slice(0, 2))
      if (existsSync(join(folder, file))) cpSync(join(folder, file), join(copy.path, file));
    const connection = new Connection(join(copy.path, 'trailproof.db'), 1_000);
    try {
      const version = connection.get<{ user_version: number }>('PRAGMA user_version')!.user_version;
      return { version, schema: schemaIn(connection) };
    } finally {
      connection.close();
    }
  } finally {
    await copy.remove();
  }
}

/** Without comments and spaces: they differ with how the text was cut. */
function schemaIn(connection: Connection): string {
  return connection
    .all<{ sql: string | null }>("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    .map(({ sql }) => (sql ?? '').replace(/--.*$/gm, '').replace(/\s+/g, ' '))
    .join('\n');
}
