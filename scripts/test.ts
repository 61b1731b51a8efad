import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Everything that must be green: format and lint, floating promises, types, dead code, generated files, the build, all
 * tests. Each step runs even when an earlier one failed; the last line counts.
 */
const report = join(mkdtempSync(join(tmpdir(), 'trailproof-test-')), 'report.json');
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ['format and lint', ['biome', 'check', '.']],
  ['floating promises', ['oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'scripts', 'web']],
  ['types', ['tsc', '--noEmit']],
  ['types of the console', ['tsc', '--noEmit', '-p', 'web']],
  ['dead code', ['knip']],
  ['generated files', ['node', 'scripts/generate.ts', '--check']],
  ['build', ['node', 'scripts/build.ts']],
  ['tests', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]],
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
if (existsSync(report)) {
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  // The step "tests" itself counts as one; its tests are counted singly.
  passed += numPassedTests ?? 0;
  failed += numFailedTests ?? 0;
}
rmSync(report, { force: true });
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
