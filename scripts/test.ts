import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Everything that must be green: format and lint, floating promises, types, dead code, generated files, the build, all
 * tests. Each step runs even when an earlier one failed; the last line counts.
 */
const reports = mkdtempSync(join(tmpdir(), 'trailproof-test-'));
const [report, browserReport] = [join(reports, 'tests.json'), join(reports, 'browser.json')];
process.env['PLAYWRIGHT_JSON_OUTPUT_FILE'] = browserReport;
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ['format and lint', ['biome', 'check', '.']],
  ['floating promises', ['oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'scripts', 'web']],
  ['types', ['tsc', '--noEmit']],
  ['types of the console', ['tsc', '--noEmit', '-p', 'web']],
  ['types of the browser tests', ['tsc', '--noEmit', '-p', 'test/browser']],
  ['dead code', ['knip']],
  ['generated files', ['node', 'scripts/generate.ts', '--check']],
  ['build', ['node', 'scripts/build.ts']],
  ['tests', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]],
  ['browser', ['playwright', 'test', '--reporter=list,json']],
];

/** No step takes half as long; one that hangs must fail while somebody still waits for it. */
const STEP_WITHIN_MS = 9 * 60_000;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

let passed = 0;
let failed = 0;
for (const [name, [command, ...args]] of STEPS) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const status = await run(command!, args);
  console.log(`── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (status === 0) passed += 1;
  else failed += 1;
}
// A step of tests itself counts as one; its tests are counted singly.
const tests = read<{ numPassedTests: number; numFailedTests: number }>(report);
const browser = read<{ stats: { expected: number; unexpected: number; flaky: number } }>(browserReport);
passed += (tests?.numPassedTests ?? 0) + (browser ? browser.stats.expected + browser.stats.flaky : 0);
failed += (tests?.numFailedTests ?? 0) + (browser?.stats.unexpected ?? 0);
rmSync(reports, { recursive: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs the step in a process group of its own, of which nothing is left when it ends, however it ends. */
async function run(command: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(command, args, { stdio: 'inherit', detached: true });
  const end = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // Nobody is left.
  };
  const limit = setTimeout(end, STEP_WITHIN_MS);
  process.once('exit', end);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(limit);
  end();
  process.removeListener('exit', end);
  return code;
}

function read<T>(file: string): T | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}
