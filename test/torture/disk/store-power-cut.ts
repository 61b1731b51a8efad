import type { Scenario, Tally } from '../scenario.ts';
import { cutManyTimes } from './cuts.ts';
import { openFaultyDisk, whyNoDisk } from './faulty-disk.ts';
import { idsOf } from './load.ts';
import { runStore } from './store-on-disk.ts';

const SIZES = { short: { runs: 1, appends: 60, cuts: 16 }, full: { runs: 4, appends: 240, cuts: 60 } };

/** The store alone, cut off at many places of what it did to the disk. */
export const storePowerCut: Scenario = {
  name: 'disk/store-power-cut',
  inShort: true,
  cannotRun: whyNoDisk,
  run: async ({ size, random, say }): Promise<Tally> => {
    const { runs, appends, cuts } = SIZES[size];
    let events = 0;
    for (let run = 0; run < runs; run++) {
      const disk = await openFaultyDisk({ seed: `${random.next()}` });
      try {
        // Some of the runs on a disk that takes its time: more is under way when the power fails.
        if (run % 2 === 1) await disk.fail({ syncMs: [1, 8] });
        const { acknowledged } = await runStore(disk, `${random.next()}`, appends);
        events += idsOf(acknowledged).length;
        await cutManyTimes({ disk, acknowledged, team: 'acme', count: cuts, random: random.fork(`cuts ${run}`) });
      } finally {
        await disk.close();
      }
    }
    say(`${runs * cuts} power cuts, each looked at with the real store`);
    return { events, faults: runs * cuts, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true };
  },
};
