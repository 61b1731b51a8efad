import { backlog } from '../test/acceptance/backlog.ts';
import { idle } from '../test/acceptance/idle.ts';
import { outages } from '../test/acceptance/outages.ts';

/** The promises at full size, against the real service in a process of its own. Name some to run only those. */
const PARTS: Readonly<Record<string, (say: (line: string) => void) => Promise<void>>> = {
  outages: (say) => outages({ events: 100_000, outageMs: 20_000 }, say),
  backlog: (say) => backlog({ events: 1_000_000, limitMiB: 350, main: 'dist/main.js' }, say),
  idle: (say) => idle({ events: 400, idleMs: 20_000 }, say),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(', ')}. Parts: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
let passed = 0;
let failed = 0;
for (const [name, run] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const started = performance.now();
  try {
    await run((line) => console.log(`  ${line}`));
    passed += 1;
    console.log(`✓ ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`✕ ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
