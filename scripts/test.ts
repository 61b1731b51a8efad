import { spawnSync } from 'node:child_process';
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
  ['floating promises', ['oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'scripts']],
  ['types', ['tsc', '--noEmit']],
  ['dead code', ['knip']],
  ['generated files', ['node', 'scripts/generate.ts', '--check']],
  ['build', ['node', 'scripts/build.ts']],
  ['tests', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]],
];

let passed = 0;
let failed = 0;
for (const [name, [command, ...args]] of STEPS) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const { status } = spawnSync(command!, args, { stdio: 'inherit' });
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
