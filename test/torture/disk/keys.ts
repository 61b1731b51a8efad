import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { loadAccountsSecret } from '../../../src/config/accounts-secret.ts';
import { loadMasterKey } from '../../../src/config/master-key.ts';
import { SecretBox } from '../../../src/secrets.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { openFaultyDisk, whyNoDisk } from './faulty-disk.ts';
import { runOnDisk } from './run-on-disk.ts';
import { emptied, scratchFolder } from './scratch.ts';

const SIZES = { short: { rotations: 1, times: 2 }, full: { rotations: 3, times: 8 } };

/** From `at` on these master keys must be there, and this secret of accounts must open, until the next step says else. */
interface Step {
  readonly at: number;
  readonly needs: readonly string[];
  readonly secret?: string;
}

/** The power is cut at every place while keys are made and rotated: what was sealed can always be opened. */
export const keys: Scenario = {
  name: 'disk/keys',
  inShort: true,
  cannotRun: whyNoDisk,
  run: async ({ size, random, say }) => {
    const { rotations, times } = SIZES[size];
    let faults = 0;
    for (const noLinks of [false, true]) faults += await cutEverywhere({ rotations, times, noLinks, random });
    say(`${faults} power cuts at every place of a first start and ${rotations} rotations`);
    return { events: 0, faults, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
  },
};

interface Run {
  readonly rotations: number;
  /** Cuts at each place. */
  readonly times: number;
  readonly noLinks: boolean;
  readonly random: Random;
}

/** Returns how many cuts there were. */
async function cutEverywhere({ rotations, times, noLinks, random }: Run): Promise<number> {
  const disk = await openFaultyDisk({ seed: `${random.next()}` });
  const rest = scratchFolder();
  let cuts = 0;
  try {
    const steps = await runOnDisk<Step>(disk, 'key-holder.ts', [`${rotations}`], () => disk.fail({ noLinks }));
    const record = await disk.record();
    for (const forgetting of ['ordered', 'forgetful'] as const)
      for (let place = 0; place <= record.length; place++)
        for (let time = 0; time < times; time++) {
          cuts += 1;
          const into = emptied(rest);
          await disk.cut(place, forgetting, `${random.next()}`, into);
          const at = record[place]?.at ?? Number.POSITIVE_INFINITY;
          const done = steps.filter((step) => step.at < at);
          lookAtKeys(into, done, `power cut after ${place} of ${record.length} operations (${forgetting})`);
        }
    return cuts;
  } finally {
    await disk.close();
    rmSync(rest, { recursive: true });
  }
}

function lookAtKeys(folder: string, steps: readonly Step[], where: string): void {
  try {
    const { key, previous } = loadMasterKey({ dataDir: folder, masterKey: null, masterKeyFile: null });
    const found = [key, ...previous].map((each) => each.toString('hex'));
    for (const needed of steps.at(-1)?.needs ?? []) assert.ok(found.includes(needed), 'a master key is lost');
    const kept = loadAccountsSecret(folder, new SecretBox(key, previous)).reveal();
    const secret = steps.findLast((step) => step.secret)?.secret;
    assert.ok(secret === undefined || kept === secret, 'the secret of accounts is lost');
  } catch (cause) {
    throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
