import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Result, runScenario, tableOf } from '../test/torture/run.ts';
import type { PlantedDefect, Size } from '../test/torture/scenario.ts';
import { planted, scenarios } from '../test/torture/scenarios.ts';

const HELP = `npm run torture [-- name …] [options]

Runs the fault scenarios against the real service and prints what was lost (nothing), repeated and dead-lettered.
A name is a scenario or a group: crash, disk/power-cut.

  --seed TEXT    replays the choices of an earlier run; default: a new one, which is printed
  --size SIZE    full (default), or short as in npm test
  --planted      puts known defects into a copy of the sources, one at a time, and expects each to be found
  --list         only names the scenarios
  --json         prints the results as JSON
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    size: { type: 'string', default: 'full' },
    planted: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const seed = values.seed ?? randomBytes(4).toString('hex');
const say = (text: string): void => void (values.json ? process.stderr : process.stdout).write(`${text}\n`);

// By way of `exit`, at which what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.help) process.stdout.write(HELP);
else if (values.list) for (const { name } of scenarios) say(name);
else if (values.planted) process.exitCode = plantAll();
// A scenario that was given up may still hold something open.
else process.exit(await runAll());

function matches(name: string): boolean {
  return positionals.length === 0 || positionals.some((wanted) => name === wanted || name.startsWith(`${wanted}/`));
}

function usageProblem(): string | null {
  const unknown = positionals.filter((wanted) => !scenarios.some(({ name }) => `${name}/`.startsWith(`${wanted}/`)));
  if (unknown.length > 0) return `no scenario or group is called ${unknown.join(', ')}; --list names them`;
  return values.size === 'full' || values.size === 'short' ? null : '--size is full or short';
}

async function runAll(): Promise<number> {
  const problem = usageProblem();
  if (problem) {
    process.stderr.write(`${problem}\n`);
    return 2;
  }
  say(`seed ${seed} (again with: npm run torture -- --seed ${seed})\n`);
  const results: Result[] = [];
  for (const scenario of scenarios.filter(({ name }) => matches(name))) {
    const result = await runScenario(scenario, values.size as Size, seed);
    results.push(result);
    say(
      `${{ passed: '✓', failed: '✕', skipped: '–' }[result.status]} ${result.scenario} (${result.seconds.toFixed(1)} s)`,
    );
    if (result.reason) say(`    ${result.reason}`);
    for (const line of result.said) say(`    ${line}`);
  }
  say(`\n${tableOf(results)}\n`);
  for (const { scenario, uncertain, tally } of results)
    if (uncertain) say(`repeats in ${scenario}: ${tally!.duplicated}, because ${uncertain}`);
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, size: values.size, results }, null, 2)}\n`);
  const count = (status: Result['status']): number => results.filter((result) => result.status === status).length;
  say(`\nseed ${seed}: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  return count('failed') === 0 ? 0 : 1;
}

function plantAll(): number {
  const root = resolve(import.meta.dirname, '..');
  const copy = mkdtempSync(join(tmpdir(), 'trailproof-planted-'));
  let missed = 0;
  try {
    for (const part of ['src', 'test', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json'])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const defect of planted.filter(({ caughtBy }) => matches(caughtBy))) if (!isFound(defect, copy)) missed += 1;
  } finally {
    rmSync(copy, { recursive: true });
  }
  say(`\n${missed === 0 ? 'every planted defect was found' : `${missed} planted defects were not found`}`);
  return missed === 0 ? 0 : 1;
}

function isFound({ name, file, find, replace, caughtBy }: PlantedDefect, copy: string): boolean {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(find)) {
    say(`✕ ${name}: ${file} has changed, there is no place for it`);
    return false;
  }
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
  const args = ['scripts/torture.ts', caughtBy, '--seed', seed, '--size', values.size, '--json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', maxBuffer: 1 << 28 });
  writeFileSync(path, text);
  const reason = reasonIn(stdout);
  say(reason === null ? `✕ ${name}: not found by ${caughtBy}\n${stderr}` : `✓ ${name}: ${caughtBy} says “${reason}”`);
  return reason !== null;
}

/** The first line of why the scenario failed; null when it did not. */
function reasonIn(output: string): string | null {
  try {
    const { results } = JSON.parse(output) as { results: readonly Result[] };
    const failed = results.find(({ status }) => status === 'failed');
    return failed ? failed.reason!.split('\n', 1)[0]! : null;
  } catch {
    return null;
  }
}
