import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { startSandbox } from '../../src/sandbox.ts';
import { SEGMENT_EVENTS } from '../../src/search/segment.ts';
import { createLoad, type Ids, quantile } from './load.ts';
import { type BenchService, type Cost, costOf, startBenchService } from './service.ts';
import { type Sink, startSink } from './sink.ts';
import { stored } from './stored.ts';

/** What one line measures, by name of the figure: rates per second, CPU seconds per million events, ms, MiB, bytes. */
export type Figures = Readonly<Record<string, number>>;

/** What a figure must reach, and what is aimed at. */
export interface Goal {
  readonly figure: string;
  /** `least`: not below; `most`: not above. */
  readonly is: 'least' | 'most';
  readonly must: number;
  readonly aim?: number;
}

export interface Line {
  readonly name: string;
  readonly what: string;
  readonly goals: readonly Goal[];
  /** Takes minutes: once is enough unless asked for by name with --runs. */
  readonly isOnce?: boolean;
  /** Starts what it needs, measures once, and leaves nothing behind. */
  readonly run: (build: Build) => Promise<Figures>;
}

export interface Build {
  /** The bundle, as users run it. */
  readonly main: string | undefined;
  /** 1: as promised; less: as many events less, to see whether a line works. */
  readonly scale: number;
}

const TEAMS = Array.from({ length: 200 }, (_, i) => `team-${String(i).padStart(3, '0')}`);
const ONE_TEAM = ['acme'];
const TOKEN = '11111111-2222-3333-4444-555555555555';
/** Many teams fill no batch at once: so long a lane gathers. The delay lines say what 0 is like. */
const LINGER_MS = 500;
const WARM_UP_EVENTS = 100_000;
/** Two segments of the index for each of 200 teams: with fewer it would have nothing to do. */
const MEASURED_EVENTS = 2 * SEGMENT_EVENTS * TEAMS.length;

const rate = (least: number, aim: number): Goal => ({ figure: 'events/s', is: 'least', must: least, aim });
const cpu = (most: number, aim: number): Goal => ({ figure: 'CPU s/M', is: 'most', must: most, aim });

export const lines: readonly Line[] = [
  {
    name: 'mixed',
    what: 'batches of 100 JSON, 200 teams, v7 ids, a Splunk per team, index keeping up',
    goals: [rate(40_000, 60_000), cpu(28, 20)],
    run: (build) => throughput(build, { teams: TEAMS }),
  },
  {
    name: 'mixed-tls',
    what: 'the same, TLS to the sink',
    goals: [rate(40_000, 60_000), cpu(28, 20)],
    run: (build) => throughput(build, { teams: TEAMS, tls: true }),
  },
  {
    name: 'mixed-held',
    what: 'the same as mixed, index held',
    goals: [rate(55_000, 80_000), cpu(22, 16)],
    run: (build) => throughput(build, { teams: TEAMS, holdIndex: true }),
  },
  {
    name: 'mixed-v4',
    what: 'the same as mixed, v4 ids chosen by producers',
    goals: [rate(30_000, 55_000), cpu(36, 22)],
    run: (build) => throughput(build, { teams: TEAMS, ids: 'v4' }),
  },
  {
    name: 'one-team',
    what: 'one team, NDJSON in canonical form, index keeping up',
    goals: [rate(60_000, 90_000), cpu(22, 16)],
    run: (build) => throughput(build, { teams: ONE_TEAM, format: 'ndjson', batch: 1000 }),
  },
  {
    name: 'acknowledge',
    what: 'acknowledge only (destinations paused), index keeping up',
    goals: [rate(60_000, 90_000)],
    run: (build) => throughput(build, { teams: TEAMS, pause: true }),
  },
  {
    name: 'acknowledge-held',
    what: 'acknowledge only, index held',
    goals: [rate(80_000, 130_000)],
    run: (build) => throughput(build, { teams: TEAMS, pause: true, holdIndex: true }),
  },
  {
    name: 'single',
    what: 'single-event POSTs, 64 connections',
    goals: [{ figure: 'requests/s', is: 'least', must: 10_000, aim: 16_000 }],
    run: async (build) => {
      const { 'events/s': perSecond = 0, ...figures } = await throughput(build, {
        ...{ teams: TEAMS, batch: 1, connections: 64, events: 150_000 },
      });
      return { 'requests/s': perSecond, ...figures };
    },
  },
  {
    name: 'durable',
    what: 'durable acknowledgement at 1,000 single POST/s',
    goals: [
      { figure: 'p50 ms', is: 'most', must: 3, aim: 2 },
      { figure: 'p99 ms', is: 'most', must: 20, aim: 10 },
    ],
    run: (build) =>
      withService(build, { teams: TEAMS }, async ({ key, service, sink }) => {
        const load = createLoad({ ...common(service, key), teams: TEAMS, batch: 1, connections: 64 });
        await connectAll(service, TEAMS, sink);
        await load.paced(1_000, 5 * build.scale + 1);
        const times = await load.paced(1_000, 20 * build.scale);
        await load.close();
        return { 'p50 ms': quantile(times, 0.5), 'p99 ms': quantile(times, 0.99) };
      }),
  },
  {
    name: 'delay',
    what: 'POST → at the sink, at 1,000 events/s, lingerMs 0',
    goals: [{ figure: 'p99 ms', is: 'most', must: 50, aim: 20 }],
    run: delay,
  },
  {
    name: 'five',
    what: 'all five SIEMs at once, each receiving everything: CPU of each beyond the first',
    goals: [{ figure: 'further SIEM, CPU s/M', is: 'most', must: 6, aim: 3 }],
    run: five,
  },
  {
    name: 'backlog',
    what: 'backlog drain, one destination, 2 M events',
    goals: [rate(80_000, 150_000), { figure: 'peak MiB', is: 'most', must: 350 }],
    run: backlog,
  },
  {
    name: 'many-teams',
    what: '5,000 teams with a destination each: idle, and 1,000 events/s over all',
    goals: [
      { figure: 'idle, CPU %', is: 'most', must: 0.2 },
      { figure: 'CPU %', is: 'most', must: 70, aim: 40 },
    ],
    run: manyTeams,
  },
  {
    name: 'stored',
    what: '10 M events of one team: search under 1,000 events/s, export, start, size, cost of the next event',
    isOnce: true,
    goals: [
      { figure: 'three filters, p95 ms', is: 'most', must: 50, aim: 15 },
      { figure: 'free text, p95 ms', is: 'most', must: 150, aim: 50 },
      { figure: 'count of a day, p95 ms', is: 'most', must: 150, aim: 50 },
      { figure: 'NDJSON events/s', is: 'least', must: 150_000 },
      { figure: 'CSV events/s', is: 'least', must: 80_000 },
      { figure: 'start, s', is: 'most', must: 1.5, aim: 0.5 },
      { figure: 'idle MiB', is: 'most', must: 200, aim: 140 },
      { figure: 'cost, ratio', is: 'most', must: 1.15, aim: 1.05 },
      { figure: 'bytes an event', is: 'most', must: 300, aim: 200 },
    ],
    run: stored,
  },
];

export interface Throughput {
  readonly teams: readonly string[];
  readonly format?: 'json' | 'ndjson';
  readonly batch?: number;
  readonly connections?: number;
  readonly ids?: Ids;
  readonly events?: number;
  readonly tls?: boolean;
  readonly holdIndex?: boolean;
  readonly pause?: boolean;
}

/** Acknowledged, delivered and indexed, whichever takes longest, as fast as it goes. */
export async function throughput(build: Build, options: Throughput): Promise<Figures> {
  const { teams, format = 'json', batch = 100, connections = 16, ids = 'v7', events = MEASURED_EVENTS } = options;
  return withService(build, options, async ({ service, key, sink }) => {
    const load = createLoad({ ...common(service, key), teams, format, batch, connections, ids });
    const destinations = await connectAll(service, teams, sink);
    if (options.pause)
      for (const id of destinations) await service.operator.json('POST', `/v1/destinations/${id}/pause`);
    const letGo = options.holdIndex ? service.holdIndex() : () => {};
    const all = async (count: number): Promise<number[]> => {
      const times = await load.flatOut(count);
      if (!options.pause) await service.delivered(times.length * batch);
      else if (!options.holdIndex) await service.indexed();
      return times;
    };
    await all(Math.min(WARM_UP_EVENTS, events / 4) * build.scale);
    await service.quiet();
    await sink.take();
    let times: number[] = [];
    const cost = await costOf(service, async () => {
      times = await all(events * build.scale);
    });
    letGo();
    const taken = await sink.take();
    if (!options.pause)
      assert.ok(taken.events >= times.length * batch, `the sink has ${taken.events}, not ${times.length * batch}`);
    await load.close();
    return {
      ...figuresOf(cost, times.length * batch),
      'ack p50 ms': quantile(times, 0.5),
      'ack p99 ms': quantile(times, 0.99),
      ...(!options.pause && { 'events a request': taken.events / taken.requests }),
    };
  });
}

/** From the moment a producer sends an event until a SIEM has it. */
async function delay(build: Build): Promise<Figures> {
  const sink = await startSink({ arrivals: true });
  const service = await startBenchService(build.main);
  try {
    const key = await service.addTeams(ONE_TEAM);
    await connect(service, ONE_TEAM[0]!, sink, { lingerMs: 0 });
    const load = createLoad({ ...common(service, key), teams: ONE_TEAM, batch: 1, connections: 64 });
    await load.paced(1_000, 5 * build.scale + 1);
    await service.quiet();
    await sink.take();
    const sent = new Map<string, number>();
    load.onSent = (id, at) => sent.set(id, at);
    await load.paced(1_000, 20 * build.scale);
    await service.delivered(sent.size);
    const { arrivals } = await sink.take();
    const delays = [...sent].map(([id, at]) => (arrivals.get(id) ?? Number.POSITIVE_INFINITY) - at);
    await load.close();
    return { 'p50 ms': quantile(delays, 0.5), 'p99 ms': quantile(delays, 0.99) };
  } finally {
    await service.close();
    await sink.close();
  }
}

/** The same load to one SIEM and to all five; the stand-ins read every event, in this process. */
async function five(build: Build): Promise<Figures> {
  const events = 200_000 * build.scale;
  const perMillion = async (kinds: readonly string[] | null): Promise<number> => {
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 1 });
    const service = await startBenchService(build.main);
    try {
      const key = await service.addTeams(ONE_TEAM);
      const used = [...sandbox.standIns].filter(([kind]) => kinds === null || kinds.includes(kind));
      for (const [kind, { settings }] of used)
        await service.operator.json('POST', `/v1/destinations?team=${ONE_TEAM[0]}`, { kind, name: kind, settings });
      const load = createLoad({ ...common(service, key), teams: ONE_TEAM, batch: 100, connections: 16 });
      const all = async (count: number): Promise<void> => {
        await load.flatOut(count);
        await service.delivered(count * used.length);
      };
      await all(events / 4);
      await service.quiet();
      const cost = await costOf(service, () => all(events));
      await load.close();
      return (cost.cpu / events) * 1e6;
    } finally {
      await service.close();
      await sandbox.close();
    }
  };
  const one = await perMillion(['splunk']);
  const all = await perMillion(null);
  return { 'Splunk alone, CPU s/M': one, 'all five, CPU s/M': all, 'further SIEM, CPU s/M': (all - one) / 4 };
}

async function backlog(build: Build): Promise<Figures> {
  const events = 2_000_000 * build.scale;
  return withService(build, {}, async ({ service, sink }) => {
    const key = await service.addTeams(ONE_TEAM);
    const id = await connect(service, ONE_TEAM[0]!, sink);
    await service.operator.json('POST', `/v1/destinations/${id}/pause`);
    const load = createLoad({
      ...common(service, key),
      teams: ONE_TEAM,
      format: 'ndjson',
      batch: 1000,
      connections: 8,
    });
    await load.flatOut(events);
    await service.indexed();
    await load.close();
    const cost = await costOf(service, async () => {
      await service.operator.json('POST', `/v1/destinations/${id}/resume`);
      await service.delivered(events);
    });
    const taken = await sink.take();
    assert.ok(taken.events >= events, `the sink has ${taken.events}, not ${events}`);
    return figuresOf(cost, events);
  });
}

async function manyTeams(build: Build): Promise<Figures> {
  const teams = Array.from({ length: 5_000 * build.scale }, (_, i) => `team-${i}`);
  return withService(build, {}, async ({ service, sink }) => {
    const key = await service.addTeams(teams);
    await connectAll(service, teams, sink);
    await wait(35_000);
    const idleSeconds = 20;
    const idle = await costOf(service, () => wait(idleSeconds * 1000));
    const load = createLoad({ ...common(service, key), teams, batch: 1, connections: 64 });
    await load.paced(1_000, 10);
    const seconds = 30;
    let times: number[] = [];
    const busy = await costOf(service, async () => {
      times = await load.paced(1_000, seconds);
    });
    await service.delivered(load.acknowledged());
    await load.close();
    return {
      'idle, CPU %': (idle.cpu / idle.seconds) * 100,
      'CPU %': (busy.cpu / busy.seconds) * 100,
      'ack p50 ms': quantile(times, 0.5),
      'ack p99 ms': quantile(times, 0.99),
      'peak MiB': busy.peakMiB,
    };
  });
}

interface Running {
  readonly service: BenchService;
  readonly sink: Sink;
  /** Writes for all teams; empty when there are none yet. */
  readonly key: string;
}

async function withService<T>(
  build: Build,
  { tls = false, teams = [] }: { readonly tls?: boolean; readonly teams?: readonly string[] },
  work: (running: Running) => Promise<T>,
): Promise<T> {
  const sink = await startSink({ tls });
  const service = await startBenchService(build.main);
  try {
    return await work({ service, sink, key: teams.length > 0 ? await service.addTeams(teams) : '' });
  } finally {
    await service.close();
    await sink.close();
  }
}

async function connectAll(service: BenchService, teams: readonly string[], sink: Sink): Promise<string[]> {
  const lingerMs = teams.length > 1 ? LINGER_MS : 0;
  const ids: string[] = [];
  for (const team of teams) ids.push(await connect(service, team, sink, { lingerMs }));
  return ids;
}

async function connect(
  { operator }: BenchService,
  team: string,
  { url, caCertificate }: Sink,
  options: { readonly lingerMs?: number } = {},
): Promise<string> {
  const settings = { endpointUrl: url, token: TOKEN, index: 'audit', ...(caCertificate && { caCertificate }) };
  const destination = { kind: 'splunk', name: 'Splunk', settings, ...options };
  return (await operator.json<{ id: string }>('POST', `/v1/destinations?team=${team}`, destination)).id;
}

function common(service: BenchService, key: string) {
  return { url: service.process.url, key, format: 'json', ids: 'v7' } as const;
}

function figuresOf({ seconds, cpu: used, threads, peakMiB }: Cost, events: number): Figures {
  const perMillion = (value: number): number => (value / events) * 1e6;
  return {
    'events/s': events / seconds,
    'CPU s/M': perMillion(used),
    ...Object.fromEntries(Object.entries(threads).map(([name, value]) => [`${name} s/M`, perMillion(value)])),
    'peak MiB': peakMiB,
  };
}
