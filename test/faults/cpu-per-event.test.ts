import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Throughput, throughput } from '../bench/throughput.ts';
import { yardstick } from '../bench/yardstick.ts';

interface Baseline {
  /** How many times the baseline a cost may be: the rest is what machines and their other work differ by. */
  readonly tolerance: number;
  /** CPU of the service per event, in yardsticks. */
  readonly yardsticks: Readonly<Record<string, number>>;
}

const baseline = JSON.parse(readFileSync(join(import.meta.dirname, '../bench/baseline.json'), 'utf8')) as Baseline;
const TEAMS = Array.from({ length: 50 }, (_, i) => `team-${i}`);
const LINES: Readonly<Record<string, Throughput>> = {
  'one team, NDJSON': { teams: ['acme'], format: 'ndjson', batch: 1000, events: 60_000 },
  'fifty teams, JSON': { teams: TEAMS, events: 60_000 },
};

describe('what an event costs, from its POST to the SIEM and the index', () => {
  it.each(Object.entries(LINES))('is no more than it was: %s', { timeout: 120_000 }, async (name, line) => {
    const { 'CPU s/M': cost = Number.NaN } = await throughput({ main: undefined, scale: 1 }, line);
    const yardsticks = cost / yardstick();
    console.log(`${name}: ${cost.toFixed(1)} CPU s per million events, ${yardsticks.toFixed(1)} yardsticks`);
    expect(yardsticks).toBeLessThan(baseline.yardsticks[name]! * baseline.tolerance);
  });
});
