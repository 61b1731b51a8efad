import type { Scenario, Tally } from '../scenario.ts';
import { cutManyTimes } from './cuts.ts';
import { type Faults, openFaultyDisk, whyNoDisk } from './faulty-disk.ts';
import { idsOf } from './load.ts';
import { runStore } from './run-on-disk.ts';

const SIZES = { short: { runs: 1, appends: 60, cuts: 16 }, full: { runs: 4, appends: 240, cuts: 36 } };

/** What the disk does during a run besides losing its power later, run by run. */
const TROUBLES: readonly Partial<Faults>[] = [
  { failSync: 0.1 },
  // More is under way when the power fails.
  { syncMs: [1, 8] },
  { failWrite: 0.002 },
  { failSync: 0.05, failWrite: 0.001, noSpace: 0.001 },
];

/**
 * The store alone, its power cut at many places of what it did to the disk. After a failed sync what was to be synced is
 * gone with the power, though it is still read as if it were there.
 */
export const storePowerCut: Scenario = {
  name: 'disk/store-power-cut',
  inShort: true,
  cannotRun: whyNoDisk,
  run: async ({ size, random, say }): Promise<Tally> => {
    const { runs, appends, cuts } = SIZES[size];
    let events = 0;
    let faults = runs * cuts;
    for (let run = 0; run < runs; run++) {
      const disk = await openFaultyDisk({ seed: `${random.next()}` });
      try {
        const trouble = TROUBLES[run % TROUBLES.length]!;
        const acknowledged = await runStore(disk, `${random.next()}`, appends, () => disk.fail(trouble));
        events += idsOf(acknowledged).length;
        faults += (await disk.state()).refused;
        await cutManyTimes({ disk, acknowledged, team: 'acme', count: cuts, random: random.fork(`cuts ${run}`) });
      } finally {
        await disk.close();
      }
    }
    say(
      `${runs * cuts} power cuts, each looked at with the real store; ${faults - runs * cuts} failed syncs and writes`,
    );
    return { events, faults, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true };
  },
};
