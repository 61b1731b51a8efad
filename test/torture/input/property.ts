import fc from 'fast-check';
import type { Random } from '../random.ts';

/** Holds `check` against `runs` values of the arbitrary, chosen by the scenario's seed. Throws with the counterexample. */
export async function holds<T>(
  random: Random,
  runs: number,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const details = await fc.check(fc.asyncProperty(arbitrary, check), {
    seed: random.between(0, 2 ** 31 - 1),
    numRuns: runs,
    // What is found is shrunk, but not for ever.
    interruptAfterTimeLimit: 240_000,
    markInterruptAsFailure: true,
  });
  if (details.failed)
    throw new Error(fc.defaultReportMessage(details)?.slice(0, 20_000), { cause: details.errorInstance });
}
