import type { Scenario, Tally } from '../scenario.ts';
import { type Counted, checkRow } from './check-row.ts';
import { datadog } from './datadog.ts';
import { elastic } from './elastic.ts';
import { qradar } from './qradar.ts';
import { AnswersRig } from './rig.ts';
import { sentinel } from './sentinel.ts';
import { runSequence } from './sequence.ts';
import type { Siem } from './siem.ts';
import { splunk } from './splunk.ts';

const SIEMS: readonly Siem[] = [splunk, elastic, qradar, sentinel, datadog];

export { planted } from './planted.ts';

const UNCERTAIN = 'some answers leave open whether the batch was stored: resets, timeouts, 408, 5xx, no confirmation';

export const scenarios: readonly Scenario[] = [
  ...SIEMS.map(eachRow),
  sequences('answers/sequences', false, UNCERTAIN),
  sequences('answers/crashes', true, `${UNCERTAIN}; a crash between storing and settling`),
];

/** Every documented answer of one SIEM by itself: state, words, waiting, dead letters, and that the rest arrives. */
function eachRow(siem: Siem): Scenario {
  return {
    name: `answers/${siem.kind}`,
    uncertain: UNCERTAIN,
    inShort: true,
    async run({ size, random, say }) {
      const mixed = random.shuffled(siem.rows);
      // What any server answers is the same code for all five: in short, each has a part of it.
      const rows = size === 'full' ? mixed : mixed.filter(({ row }) => !/^§1\.[12]/.test(row) || random.next() < 0.2);
      const rig = await AnswersRig.start();
      const failures: string[] = [];
      const counted: Counted[] = [];
      try {
        for (const [i, row] of rows.entries()) {
          try {
            counted.push(await checkRow(rig, siem, row, `row-${i}`));
          } catch (error) {
            failures.push(error instanceof Error ? error.message : String(error));
          }
        }
      } finally {
        await rig.close();
      }
      if (failures.length > 0) throw new Error(failures.join('\n'));
      say(`${rows.length} of ${siem.rows.length} documented answers`);
      return tallyOf(counted);
    },
  };
}

/** Random sequences of rows of one SIEM, each SIEM in turn. */
function sequences(name: string, crashes: boolean, uncertain: string): Scenario {
  return {
    ...{ name, uncertain, inShort: true },
    async run({ size, random, say }) {
      const rounds = size === 'full' ? (crashes ? 4 : 8) : 1;
      const counted: Counted[] = [];
      let died = 0;
      for (let round = 0; round < rounds; round++) {
        const rig = await AnswersRig.start(() => random.next());
        try {
          for (const siem of SIEMS) {
            const options = { rows: size === 'full' ? 25 : 8, crashes };
            const done = await runSequence(rig, siem, `${siem.kind}-${round}`, random, options);
            counted.push(done);
            died += done.crashes;
          }
        } finally {
          await rig.close();
        }
      }
      say(`${counted.length} sequences, ${died} crashes`);
      return tallyOf(counted);
    },
  };
}

/** What is lost or miscounted has thrown already. */
function tallyOf(counted: readonly Counted[]): Tally {
  const sum = (of: (one: Counted) => number): number => counted.reduce((total, one) => total + of(one), 0);
  return {
    events: sum(({ events }) => events),
    faults: sum(({ faults }) => faults),
    lost: 0,
    duplicated: sum(({ repeats }) => repeats),
    deadLettered: sum(({ deadLettered }) => deadLettered),
    countersExact: true,
  };
}
