import type { PlantedDefect, Scenario } from '../scenario.ts';
import { checkRow } from './check-row.ts';
import { AnswersRig } from './rig.ts';
import type { Siem } from './siem.ts';
import { splunk } from './splunk.ts';

const SIEMS: readonly Siem[] = [splunk];

export const scenarios: readonly Scenario[] = [...SIEMS.map(eachRow)];

export const planted: readonly PlantedDefect[] = [];

/** Every documented answer of one SIEM by itself: state, words, waiting, dead letters, and that the rest arrives. */
function eachRow(siem: Siem): Scenario {
  return {
    name: `answers/${siem.kind}`,
    uncertain: 'some rows are answers that leave open whether the batch was stored (timeouts, resets, 5xx)',
    inShort: true,
    async run({ random, say }) {
      const rig = await AnswersRig.start();
      const failures: string[] = [];
      let [events, faults, duplicated, deadLettered] = [0, 0, 0, 0];
      try {
        for (const [i, row] of random.shuffled(siem.rows).entries()) {
          try {
            const counted = await checkRow(rig, siem, row, `row-${i}`);
            events += counted.events;
            faults += counted.faults;
            duplicated += counted.repeats;
            deadLettered += counted.deadLettered;
          } catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
          }
        }
      } finally {
        await rig.close();
      }
      say(`${siem.rows.length} rows`);
      if (failures.length > 0) throw new Error(failures.join('\n'));
      return { events, faults, lost: 0, duplicated, deadLettered, countersExact: true };
    },
  };
}
