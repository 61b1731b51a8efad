import assert from 'node:assert/strict';
import type { Health } from '../../../src/contract/destinations.ts';
import { eventually } from '../../rig/events.ts';
import { cpuOf, memoryOf, type ServiceProcess, startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { createLoad, type Load, median, quantile, quietest, type Sent } from './load.ts';
import { MISBEHAVIOURS, type Neighbourhood, openNeighbourhood, type Place } from './neighbourhood.ts';

/** By how much the figures beside bad neighbours may exceed those without; the short run is too short for more. */
const SIZES = {
  short: {
    ...{ teams: 8, pairs: 1, perSecond: 400, batch: 5, warmUpMs: 300, forMs: 900 },
    ...{ cpu: 4, delay: 3, delayMs: 1_000 },
  },
  full: {
    ...{ teams: 50, pairs: 4, perSecond: 1_500, batch: 10, warmUpMs: 1_000, forMs: 7_000 },
    ...{ cpu: 1.2, delay: 1.2, delayMs: 10 },
  },
};
const DESTINATIONS_PER_TEAM = 4;
/** Of everything: the service, 200 destinations, and what failing ones hold in memory while they wait. */
const MEMORY_MIB = 400;
/** A failing destination is tried so often in one window of load, on average: what halves a refused batch tries more often. */
const ATTEMPTS = 12;
const SETTLES_WITHIN_MS = 60_000;

/** What one window of load cost. */
interface Window {
  readonly cpuPerDelivery: number;
  readonly delays: readonly number[];
  readonly latencies: readonly number[];
}

/** A slow sync of the disk is in the tail of one window, and not of the next. */
const TAIL = 4;

type TeamApi = Awaited<ReturnType<typeof teamApi>>;

interface Street {
  readonly service: ServiceProcess;
  readonly teams: readonly TeamApi[];
  readonly names: readonly string[];
  readonly neighbourhood: Neighbourhood;
  readonly load: Load;
  readonly healthy: readonly Resident[];
}

interface Resident {
  readonly api: TeamApi;
  readonly team: string;
  readonly id: string;
  readonly slot: number;
}

/**
 * A third of all destinations misbehaves, each in its way. The other two thirds, and the producers, are measured with and
 * without them in turns: they must not notice.
 */
export const badNeighbours: Scenario = {
  name: 'isolation/bad-neighbours',
  inShort: true,
  withinSeconds: 240,
  run: (context) => withStreet(context, measure),
};

async function withStreet(
  context: ScenarioContext,
  run: (context: ScenarioContext, street: Street, plan: Plan) => Promise<Tally>,
): Promise<Tally> {
  const size = SIZES[context.size];
  const folder = await temporaryFolder();
  const neighbourhood = await openNeighbourhood(size.perSecond * 30);
  const service = await startService(folder.path);
  const load = createLoad(service.url);
  const teams: TeamApi[] = [];
  try {
    const names = Array.from({ length: size.teams }, (_, i) => `team-${i}`);
    for (const name of names) teams.push(await teamApi(service, folder.path, name));
    const plan = planOf(size.teams, context.random);
    const healthy: Resident[] = [];
    for (const { team, slot, misbehaviour } of plan)
      if (misbehaviour === null) healthy.push(await move(teams[team]!, names[team]!, slot, neighbourhood.good(slot)));
    return await run(context, { service, teams, names, neighbourhood, load, healthy }, plan);
  } finally {
    await load.close();
    await Promise.all(teams.map((api) => api.close()));
    await service.kill();
    await neighbourhood.close();
    await folder.remove();
  }
}

type Plan = readonly {
  readonly team: number;
  readonly slot: number;
  readonly misbehaviour: (typeof MISBEHAVIOURS)[number] | null;
}[];

/** Every team has four of the five kinds; a third of all, chosen by chance, misbehaves, each way as often as another. */
function planOf(teams: number, random: Random): Plan {
  const all = Array.from({ length: teams * DESTINATIONS_PER_TEAM }, (_, i) => i);
  const chosen = random.shuffled(all).slice(0, Math.floor(all.length / 3));
  const bad = new Map(chosen.map((destination, i) => [destination, MISBEHAVIOURS[i % MISBEHAVIOURS.length]!]));
  return all.map((i) => {
    const team = Math.floor(i / DESTINATIONS_PER_TEAM);
    return { team, slot: (i + team) % 5, misbehaviour: bad.get(i) ?? null };
  });
}

async function move(api: TeamApi, team: string, slot: number, place: Place): Promise<Resident> {
  const made = await api.json<{ id: string }>('POST', '/v1/destinations', { ...place, name: `${place.kind} ${slot}` });
  return { api, team, slot, id: made.id };
}

async function measure(context: ScenarioContext, street: Street, plan: Plan): Promise<Tally> {
  const { random, say } = context;
  const size = SIZES[context.size];
  const without: Window[] = [];
  const beside: Window[] = [];
  const acknowledged = new Map<string, string[]>();
  let faults = 0;
  let areExact = true;
  const keep = (sent: Sent): void => {
    for (const [team, ids] of sent.acknowledged) acknowledged.set(team, [...(acknowledged.get(team) ?? []), ...ids]);
    assert.equal(sent.refused.size, 0, `${[...sent.refused]} bodies were refused`);
  };
  for (let pair = 0; pair < size.pairs; pair++)
    for (const areBadThere of random.shuffled([false, true])) {
      const bad: Resident[] = [];
      if (areBadThere)
        for (const { team, slot, misbehaviour } of plan)
          if (misbehaviour !== null)
            bad.push(
              await move(
                street.teams[team]!,
                street.names[team]!,
                slot,
                await street.neighbourhood.bad(slot, misbehaviour),
              ),
            );
      const { window, sents } = await load(street, size);
      (areBadThere ? beside : without).push(window);
      sents.forEach(keep);
      for (const { api, id } of bad) {
        const { counts, last24h } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
        areExact &&= counts.matched === counts.delivered + counts.deadLettered + counts.pending;
        faults += last24h.failedAttempts;
        await api.json('DELETE', `/v1/destinations/${id}`);
      }
    }
  const { peak } = await memoryOf(street.service.pid);
  report(say, 'without', without);
  report(say, 'beside', beside);
  say(`${plan.length} destinations, peak memory ${peak.toFixed(0)} MiB, ${faults} failed attempts`);
  const most = size.pairs * plan.filter(({ misbehaviour }) => misbehaviour !== null).length * ATTEMPTS;
  assert.ok(faults <= most, `${faults} attempts failed, where backing off leaves no more than ${most}`);
  compare(size, without, beside);
  assert.ok(peak < MEMORY_MIB, `memory reached ${peak.toFixed(0)} MiB`);
  return { ...(await judged(street, acknowledged)), faults, countersExact: areExact };
}

async function load(street: Street, size: (typeof SIZES)['full']): Promise<{ window: Window; sents: readonly Sent[] }> {
  const { service, neighbourhood, healthy } = street;
  const producers = street.teams.map(({ key }, i) => ({ team: street.names[i]!, key }));
  const drained = async (sent: Sent): Promise<void> =>
    eventually(() => {
      for (const { team, slot } of healthy)
        for (const id of sent.acknowledged.get(team) ?? [])
          assert.ok(neighbourhood.healthy[slot]!.ids().has(id), `${id} has not arrived`);
    }, SETTLES_WITHIN_MS);
  const warmUp = await street.load.atRate(producers, { ...size, forMs: size.warmUpMs });
  await drained(warmUp);
  const before = { cpu: await cpuOf(service.pid), delivered: neighbourhood.delivered() };
  const sent = await street.load.atRate(producers, size);
  await drained(sent);
  const cpu = (await cpuOf(service.pid)) - before.cpu;
  const delays: number[] = [];
  for (const standIn of neighbourhood.healthy)
    for (const { id, at } of standIn.received()) {
      const postedAt = sent.postedAt.get(id);
      if (postedAt !== undefined) delays.push(at - postedAt);
    }
  const window = {
    cpuPerDelivery: (cpu * 1000) / (neighbourhood.delivered() - before.delivered),
    delays,
    latencies: sent.latencies,
  };
  return { window, sents: [warmUp, sent] };
}

function compare(size: (typeof SIZES)['full'], without: readonly Window[], beside: readonly Window[]): void {
  const cpu = [without, beside].map((windows) => median(windows.map((window) => window.cpuPerDelivery)));
  assert.ok(
    cpu[1]! <= cpu[0]! * size.cpu,
    `an event costs ${cpu[1]!.toFixed(0)} µs of CPU beside bad neighbours, ${cpu[0]!.toFixed(0)} µs without`,
  );
  for (const figure of ['delays', 'latencies'] as const)
    for (const q of [0.5, 0.95]) {
      const [a, b] = [without, beside].map((windows) => quietest(windows.map((window) => quantile(window[figure], q))));
      assert.ok(
        b! <= Math.max(a! * size.delay, a! + size.delayMs * (q > 0.5 ? TAIL : 1)),
        `${figure} at ${q} are ${b!.toFixed(1)} ms beside bad neighbours, ${a!.toFixed(1)} ms without`,
      );
    }
}

function report(say: (line: string) => void, name: string, windows: readonly Window[]): void {
  const at = (figure: 'delays' | 'latencies', q: number): string =>
    windows.map((window) => quantile(window[figure], q).toFixed(1)).join(' ');
  say(
    `${name}: CPU ${windows.map((window) => window.cpuPerDelivery.toFixed(0)).join(' ')} µs a delivery, arrives after p50 ` +
      `${at('delays', 0.5)} p95 ${at('delays', 0.95)} ms, acknowledged after p50 ${at('latencies', 0.5)} p95 ${at('latencies', 0.95)} ms`,
  );
}

async function judged(
  { neighbourhood, healthy }: Street,
  acknowledged: ReadonlyMap<string, readonly string[]>,
): Promise<Omit<Tally, 'faults' | 'countersExact'>> {
  let lost = 0;
  let deadLettered = 0;
  for (const { api, team, slot, id } of healthy) {
    const ids = neighbourhood.healthy[slot]!.ids();
    lost += (acknowledged.get(team) ?? []).filter((event) => !ids.has(event)).length;
    await eventually(async () => {
      const { counts } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
      assert.equal(counts.pending, 0);
      assert.equal(counts.matched, counts.delivered + counts.deadLettered);
      deadLettered += counts.deadLettered;
    }, SETTLES_WITHIN_MS);
  }
  return {
    events: [...acknowledged.values()].reduce((sum, ids) => sum + ids.length, 0),
    lost,
    duplicated: neighbourhood.healthy.reduce(
      (sum, at) => sum + at.counts().duplicates + at.counts().ignoredDuplicates,
      0,
    ),
    deadLettered,
  };
}
