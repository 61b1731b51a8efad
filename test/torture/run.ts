import { createRandom } from './random.ts';
import { failureOf, type Scenario, type Size, type Tally } from './scenario.ts';

/** How one scenario ended. */
export interface Result {
  readonly scenario: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** What went wrong, or why it could not run. */
  readonly reason: string | null;
  /** What may repeat and did. */
  readonly uncertain: string | null;
  readonly tally: Tally | null;
  readonly seconds: number;
  readonly said: readonly string[];
}

const DEFAULT_WITHIN_SECONDS = 120;

/** Runs one scenario to its end or its time limit. Never rejects. */
export async function runScenario(scenario: Scenario, size: Size, seed: string): Promise<Result> {
  const said: string[] = [];
  const started = performance.now();
  const ended = (status: Result['status'], reason: string | null, tally: Tally | null = null): Result => ({
    ...{ scenario: scenario.name, status, reason, tally, said },
    uncertain: tally && tally.duplicated > 0 ? (scenario.uncertain ?? null) : null,
    seconds: (performance.now() - started) / 1000,
  });
  const cannot = scenario.cannotRun?.() ?? null;
  if (cannot !== null) return ended('skipped', cannot);
  const limit = scenario.withinSeconds ?? DEFAULT_WITHIN_SECONDS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished within ${limit} s`)), limit * 1000);
  });
  try {
    const random = createRandom(`${seed}/${scenario.name}`);
    const tally = await Promise.race([scenario.run({ size, random, say: (line) => said.push(line) }), late]);
    const failure = failureOf(scenario, tally);
    return ended(failure === null ? 'passed' : 'failed', failure, tally);
  } catch (error) {
    return ended('failed', error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    clearTimeout(timer);
  }
}

const COLUMNS = ['scenario', 'events', 'faults', 'lost', 'duplicated', 'dead-lettered', 'counters exact', 'seconds'];

/** The table, one scenario a row, in Markdown. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map(({ scenario, status, tally, seconds }) => {
    const mark = { passed: '', failed: '✕ ', skipped: '– ' }[status];
    const cells = tally
      ? [
          ...[tally.events, tally.faults, tally.lost, tally.duplicated, tally.deadLettered].map((n) =>
            n.toLocaleString('en-US'),
          ),
          tally.countersExact === null ? '–' : tally.countersExact ? 'yes' : 'NO',
        ]
      : COLUMNS.slice(1, -1).map(() => '');
    return [`${mark}${scenario}`, ...cells, seconds.toFixed(1)];
  });
  const widths = COLUMNS.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(COLUMNS), rule, ...rows.map(line)].join('\n');
}
