import assert from 'node:assert/strict';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultKind, StandIn } from '../../../src/destinations/destination.ts';
import { destinationKinds } from '../../../src/destinations/registry.ts';
import { FAULT_KINDS } from '../../../src/destinations/stand-in-server.ts';
import { eventually } from '../../rig/events.ts';
import { memoryOf, startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import { createLoad, type Load, median, type Producer, quantile } from '../isolation/load.ts';
import { judge } from '../judge.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';

/** Ten minutes of real time: what leaks slowly shows in no less. */
const FOR_MS = 600_000;
const SHORT_MS = 40_000;
const TICK_MS = 4_000;
const TEAMS = 20;
const DESTINATIONS_PER_TEAM = 2;
/** Bodies of one event, of ten and of a hundred, by their share of the events. */
const BODIES = [
  { batch: 1, share: 0.1 },
  { batch: 10, share: 0.3 },
  { batch: 100, share: 0.6 },
];
/** The highest rate is measured with bodies of the middle size: with large ones it would be more than the mixture can reach. */
const MEASURED_BATCH = 10;
const MEASURE_MS = 5_000;
/** The schedule of faults repeats itself, so that what is compared saw the same. */
const PERIODS = 2;
/** The compared parts, as shares of the whole: minutes 3 to 5, and 8 to 10. */
const [EARLY, LATE] = [
  [0.2, 0.5],
  [0.7, 1],
] as const;
const GROWTH = { memory: 1.1, memoryMiB: 20, files: 10, answer: 1.3, answerMs: 3 };
const SETTLES_WITHIN_MS = 300_000;

interface Sample {
  /** As a share of the whole run. */
  readonly at: number;
  readonly memory: number;
  readonly files: number;
  readonly sockets: number;
  readonly p50: number;
  readonly p95: number;
  readonly pending: number;
}

interface Target {
  readonly api: Awaited<ReturnType<typeof teamApi>>;
  readonly team: string;
  readonly id: string;
  readonly standIn: StandIn;
}

interface Trouble {
  readonly atMs: number;
  readonly forMs: number;
  readonly kind: FaultKind;
  readonly target: number;
}

/** The real service at half of its highest rate for ten minutes, its SIEMs failing in every way in turn. */
export const tenMinutes: Scenario = {
  name: 'soak/ten-minutes',
  uncertain: 'connections are reset, or answers lost, after a SIEM has stored a batch',
  withinSeconds: 1_800,
  async run({ size, random, say }) {
    const forMs = size === 'full' ? FOR_MS : SHORT_MS;
    const folder = await temporaryFolder();
    const service = await startService(folder.path);
    const load = createLoad(service.url);
    const targets: Target[] = [];
    try {
      const producers: Producer[] = [];
      for (let t = 0; t < TEAMS; t++) {
        const api = await teamApi(service, folder.path, `team-${t}`);
        producers.push({ team: `team-${t}`, key: api.key });
        for (let d = 0; d < DESTINATIONS_PER_TEAM; d++) targets.push(await target(api, `team-${t}`, t * 2 + d));
      }
      const acknowledged = new Map<string, string[]>();
      const most = await highestRate(load, producers, targets, acknowledged);
      const perSecond = Math.floor(most / 2);
      const troubles = schedule(forMs, random);
      const samples: Sample[] = [];
      const startedAt = performance.now();
      let struck = 0;
      for (let passed = 0; passed < forMs; passed = performance.now() - startedAt) {
        struck += strike(troubles, targets, passed);
        const latencies = await produce(load, producers, perSecond, acknowledged);
        samples.push({ ...(await sample(service.pid, service.url)), ...answers(latencies), at: passed / forMs });
      }
      for (const { standIn, api, id } of targets) {
        standIn.setFault(null);
        // Whoever edits a destination lets it try again at once.
        await api.json('PATCH', `/v1/destinations/${id}`, { lingerMs: 0 });
      }
      say(
        `highest rate ${Math.round(most)} events/s, held ${perSecond} events/s for ${forMs / 1000} s, ${struck} faults`,
      );
      for (const [name, part] of [
        ['early', EARLY],
        ['late', LATE],
      ] as const)
        say(`${name}: ${describe(within(samples, part))}`);
      const tally = await judgeAll(targets, acknowledged);
      compare(samples);
      return { ...tally, faults: struck };
    } finally {
      await load.close();
      await Promise.all([...new Set(targets.map(({ api }) => api))].map((api) => api.close()));
      await service.kill();
      await Promise.all(targets.map(({ standIn }) => standIn.close()));
      await folder.remove();
    }
  },
};

async function target(api: Target['api'], team: string, n: number): Promise<Target> {
  const kind = destinationKinds[n % destinationKinds.length]!;
  const standIn = await (await kind.standIn())({ port: 0, keep: 1 });
  const body = { kind: kind.kind, name: `${kind.kind} ${n}`, settings: standIn.settings, startAt: 'beginning' };
  const { id } = await api.json<{ id: string }>('POST', '/v1/destinations', body);
  return { api, team, id, standIn };
}

/** Events a second that all producers together bring to every SIEM, none failing. */
async function highestRate(
  load: Load,
  producers: readonly Producer[],
  targets: readonly Target[],
  into: Map<string, string[]>,
): Promise<number> {
  const startedAt = performance.now();
  const end = AbortSignal.timeout(MEASURE_MS);
  const sents = await Promise.all(
    producers.map((one) => load.flatOut(one, { connections: 1, batch: MEASURED_BATCH }, end)),
  );
  let events = 0;
  for (const { acknowledged } of sents) events += keep(acknowledged, into);
  await eventually(() => {
    for (const { team, standIn } of targets) {
      const least = into.get(team)?.length ?? 0;
      assert.ok(standIn.counts().distinct >= least, `${team} has ${standIn.counts().distinct} of ${least}`);
    }
  }, SETTLES_WITHIN_MS);
  return (events * 1000) / (performance.now() - startedAt);
}

/** Every kind of fault, each at several destinations, some seconds long, spread over a period; by time. */
function schedule(forMs: number, random: Random): Trouble[] {
  const periodMs = forMs / PERIODS;
  const count = TEAMS * DESTINATIONS_PER_TEAM;
  const kinds = random.shuffled(Array.from({ length: count }, (_, i) => FAULT_KINDS[i % FAULT_KINDS.length]!));
  const once = kinds.map((kind, target) => ({
    ...{ kind, target },
    atMs: random.between(0, Math.floor(periodMs * 0.85)),
    forMs: random.between(TICK_MS / 2, TICK_MS * 3),
  }));
  const again = Array.from({ length: PERIODS }, (_, n) =>
    once.map((each) => ({ ...each, atMs: each.atMs + n * periodMs })),
  );
  return again.flat().sort((a, b) => a.atMs - b.atMs);
}

/** Begins what is due by now. */
function strike(troubles: Trouble[], targets: readonly Target[], passedMs: number): number {
  const due = troubles.splice(0, troubles.filter(({ atMs }) => atMs <= passedMs).length);
  for (const { kind, target, forMs } of due) targets[target]!.standIn.setFault({ kind, ms: forMs });
  return due.length;
}

async function produce(
  load: Load,
  producers: readonly Producer[],
  perSecond: number,
  into: Map<string, string[]>,
): Promise<readonly number[]> {
  const sents = await Promise.all(
    BODIES.map(({ batch, share }) => load.atRate(producers, { perSecond: perSecond * share, batch, forMs: TICK_MS })),
  );
  for (const { acknowledged, refused } of sents) {
    assert.deepEqual([...refused], [], 'bodies were refused');
    keep(acknowledged, into);
  }
  return sents.flatMap(({ latencies }) => latencies);
}

function keep(acknowledged: ReadonlyMap<string, readonly string[]>, into: Map<string, string[]>): number {
  let events = 0;
  for (const [team, ids] of acknowledged) {
    const known = into.get(team);
    if (known) for (const id of ids) known.push(id);
    else into.set(team, [...ids]);
    events += ids.length;
  }
  return events;
}

function answers(latencies: readonly number[]): Pick<Sample, 'p50' | 'p95'> {
  return { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) };
}

async function sample(pid: number, url: string): Promise<Pick<Sample, 'memory' | 'files' | 'sockets' | 'pending'>> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
  const metrics = await (await fetch(`${url}/metrics`)).text();
  let pending = 0;
  for (const [, value] of metrics.matchAll(/^trailproof_destination_events\{.*figure="pending".*\} (\d+)$/gm))
    pending += Number(value);
  return {
    memory: (await memoryOf(pid)).now,
    files: links.filter((link) => link !== '').length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    pending,
  };
}

async function judgeAll(
  targets: readonly Target[],
  acknowledged: ReadonlyMap<string, readonly string[]>,
): Promise<Omit<Tally, 'faults'>> {
  let sum = { lost: 0, duplicated: 0, deadLettered: 0, countersExact: true };
  for (const { api, id, team, standIn } of targets) {
    const promised = acknowledged.get(team) ?? [];
    const tally = await judge({
      ...{ api, destination: id, standIn, acknowledged: promised },
      settlesWithinMs: SETTLES_WITHIN_MS,
    });
    sum = {
      lost: sum.lost + tally.lost,
      duplicated: sum.duplicated + tally.duplicated,
      deadLettered: sum.deadLettered + tally.deadLettered,
      countersExact: sum.countersExact && tally.countersExact === true,
    };
  }
  return { ...sum, events: [...acknowledged.values()].reduce((all, ids) => all + ids.length, 0) };
}

function within(samples: readonly Sample[], [from, to]: readonly [number, number]): readonly Sample[] {
  return samples.filter(({ at }) => at >= from && at < to);
}

function middle(samples: readonly Sample[], figure: keyof Sample): number {
  return median(samples.map((each) => each[figure]));
}

function describe(samples: readonly Sample[]): string {
  const of = (figure: keyof Sample, digits = 0): string => middle(samples, figure).toFixed(digits);
  return (
    `memory ${of('memory')} MiB, ${of('files')} files of which ${of('sockets')} sockets, answers p50 ${of('p50', 1)} ` +
    `p95 ${of('p95', 1)} ms, ${of('pending')} events waiting (medians of ${samples.length} looks)`
  );
}

function compare(samples: readonly Sample[]): void {
  const [early, late] = [within(samples, EARLY), within(samples, LATE)];
  const of = (figure: keyof Sample): readonly [number, number] => [middle(early, figure), middle(late, figure)];
  const check = (figure: keyof Sample, most: (before: number) => number): void => {
    const [before, after] = of(figure);
    assert.ok(after <= most(before), `${figure}: ${before.toFixed(1)} early, ${after.toFixed(1)} late`);
  };
  check('memory', (before) => Math.max(before * GROWTH.memory, before + GROWTH.memoryMiB));
  check('files', (before) => before + GROWTH.files);
  check('sockets', (before) => before + GROWTH.files);
  check('p50', (before) => Math.max(before * GROWTH.answer, before + GROWTH.answerMs));
}
