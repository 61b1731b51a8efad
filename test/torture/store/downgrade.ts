import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryFolder } from '../../rig/service.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { command } from './process.ts';
import { newEvent, openStore } from './truth.ts';

/** A database that a newer version has written: every command refuses it in words, and leaves it as it is. */
export const downgrade: Scenario = { name: 'store/downgrade', inShort: true, run };

const NEWER = 99;

async function run({ size, random }: ScenarioContext): Promise<Tally> {
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, 'trailproof.db');
    const store = openStore(folder.path);
    await store.log.append([newEvent(random, 'acme', 'one')]);
    await store.close();
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${NEWER}`);
    database.close();
    const before = readFileSync(path);
    const commands = size === 'short' ? [['serve']] : [['serve'], ['migrate'], ['teams', 'list'], ['doctor']];
    for (const args of commands) {
      const { code, said } = await command(folder.path, args);
      assert.equal(code, 1, `${args.join(' ')}: ${said}`);
      assert.match(said, new RegExp(`schema version ${NEWER}, this version of Trailproof knows up to \\d+: install`));
      assert.ok(readFileSync(path).equals(before), `${args.join(' ')} changed the database`);
    }
    return { events: 1, faults: commands.length, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
  } finally {
    await folder.remove();
  }
}
