import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createOpenOutbound } from '../outbound/open-outbound.ts';
import type { NetworkPolicy } from '../outbound/outbound.ts';
import type { CheckStep, StandIn } from './destination.ts';
import { destinationKinds } from './registry.ts';
import { parseSettings } from './settings.ts';
import { testConnection } from './test-connection.ts';

const splunk = destinationKinds.find(({ kind }) => kind === 'splunk')!;
let standIn: StandIn;
beforeAll(async () => {
  standIn = await (await splunk.standIn())({ port: 0 });
});
beforeEach(() => {
  standIn.setFault(null);
  standIn.reset();
});
afterAll(() => standIn.close());

async function run(change: Readonly<Record<string, unknown>> = {}, network: NetworkPolicy = 'any') {
  const parsed = parseSettings(splunk, { ...standIn.settings, ...change });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const openOutbound = createOpenOutbound({ network, allowHttp: true });
  const context = { openOutbound, clock: systemClock, brand: 'Acme', configuredAt: 0 };
  const test = testConnection(
    { kind: splunk, settings: parsed.settings, context, team: 'team-9' },
    AbortSignal.any([]),
  );
  const steps: CheckStep[] = [];
  for (;;) {
    const next = await test.next();
    if (next.done) return { steps, result: next.value };
    steps.push(next.value);
  }
}

describe('testing a connection', () => {
  it('goes from the address to a marked event that the SIEM holds', async () => {
    const { steps, result } = await run();
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['address', true],
      ['credential', true],
      ['write', true],
    ]);
    expect(result).toMatchObject({ ok: true, steps, outcome: { kind: 'delivered', status: 200 } });
    expect(result.bytes).toBeGreaterThan(300);
    expect(standIn.received().map(({ event }) => event)).toMatchObject([
      { eventType: 'siem.destination.tested', metadata: { test: true }, context: { teamId: 'team-9' } },
    ]);
  });

  it('runs no step after the one that failed', async () => {
    standIn.setFault({ kind: 'unauthorized' });
    const { steps, result } = await run();
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['address', true],
      ['credential', false],
    ]);
    expect(steps[1]?.fix).toContain('HTTP Event Collector');
    expect(result).toMatchObject({ ok: false, bytes: 0, outcome: { kind: 'misconfigured' } });
    expect(standIn.counts().events).toBe(0);
  });

  it('says that an address is blocked before anything is sent', async () => {
    const { steps, result } = await run({}, 'public');
    expect(steps).toMatchObject([{ name: 'address', ok: false, fix: expect.stringContaining('DESTINATION_NETWORK') }]);
    expect(result.outcome).toMatchObject({ kind: 'misconfigured', cause: 'address' });
    expect(standIn.counts().requests).toBe(0);
  });

  it('tells a refused index from a good credential', async () => {
    const { steps } = await run({ index: 'elsewhere' });
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['address', true],
      ['credential', true],
      ['write', false],
    ]);
    expect(steps[2]?.fix).toContain('allowed indexes');
  });
});
