import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runScenario } from '../torture/run.ts';
import { planted, scenarios } from '../torture/scenarios.ts';

/** The short form of `npm run torture`; a new seed each time, named when something fails. */
const seed = `${Date.now()}`;

describe(`under fire (npm run torture -- --size short --seed ${seed})`, () => {
  for (const scenario of scenarios.filter(({ inShort }) => inShort))
    it(scenario.name, async ({ skip }) => {
      const result = await runScenario(scenario, 'short', seed);
      skip(result.status === 'skipped', result.reason ?? '');
      expect(result.reason, result.said.join('\n')).toBeNull();
    });
});

it('each scenario has a defect that it must find, and each defect its place', () => {
  const found = new Set(planted.map(({ caughtBy }) => caughtBy));
  expect([...found].sort()).toEqual(scenarios.map(({ name }) => name).sort());
  for (const { name, file, find } of planted) {
    const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
    expect(text.split(find), name).toHaveLength(2);
  }
});
