import { setTimeout as wait } from 'node:timers/promises';
import { startSandbox } from '../../src/sandbox.ts';
import { createLoad, quantile } from './load.ts';
import { rivals } from './rivals.ts';
import { type Build, costOf, type Figures, startBenchService } from './service.ts';
import { startSink } from './sink.ts';
import { stored } from './stored.ts';
import { backlog, common, connectAll, ONE_TEAM, TEAMS, throughput, withService } from './throughput.ts';

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
  {
    name: 'rivals',
    what: 'the same events through syslog-ng and rsyslog, where they are installed, and through Trailproof',
    goals: [],
    run: rivals,
  },
];

/** From the moment a producer sends an event until a SIEM has it. */
async function delay(build: Build): Promise<Figures> {
  const sink = await startSink({ arrivals: true });
  const service = await startBenchService(build.main);
  try {
    const key = await service.addTeams(ONE_TEAM);
    await service.connect(ONE_TEAM[0]!, sink, { lingerMs: 0 });
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
      const cost = await costOf(service.process.pid, () => all(events));
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

async function manyTeams(build: Build): Promise<Figures> {
  const teams = Array.from({ length: 5_000 * build.scale }, (_, i) => `team-${i}`);
  return withService(build, {}, async ({ service, sink }) => {
    const key = await service.addTeams(teams);
    await connectAll(service, teams, sink);
    await wait(35_000);
    const idleSeconds = 20;
    const idle = await costOf(service.process.pid, () => wait(idleSeconds * 1000));
    const load = createLoad({ ...common(service, key), teams, batch: 1, connections: 64 });
    await load.paced(1_000, 10);
    const seconds = 30;
    let times: number[] = [];
    const busy = await costOf(service.process.pid, async () => {
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
