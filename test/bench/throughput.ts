import assert from 'node:assert/strict';
import { SEGMENT_EVENTS } from '../../src/search/segment.ts';
import { createLoad, type Ids, quantile } from './load.ts';
import { type BenchService, type Build, costOf, type Figures, figuresOf, startBenchService } from './service.ts';
import { type Sink, startSink } from './sink.ts';

export const TEAMS = Array.from({ length: 200 }, (_, i) => `team-${String(i).padStart(3, '0')}`);
export const ONE_TEAM = ['acme'];
/** Many teams fill no batch at once: so long a lane gathers. The delay lines say what 0 is like. */
const LINGER_MS = 500;
const WARM_UP_EVENTS = 100_000;
/** Two segments of the index for each of 200 teams: with fewer it would have nothing to do. */
const MEASURED_EVENTS = 2 * SEGMENT_EVENTS * TEAMS.length;

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
    const cost = await costOf(service.process.pid, async () => {
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

/** What waited for one destination while it was paused. */
export async function backlog(build: Build): Promise<Figures> {
  const events = 2_000_000 * build.scale;
  return withService(build, {}, async ({ service, sink }) => {
    const key = await service.addTeams(ONE_TEAM);
    const id = await service.connect(ONE_TEAM[0]!, sink);
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
    const cost = await costOf(service.process.pid, async () => {
      await service.operator.json('POST', `/v1/destinations/${id}/resume`);
      await service.delivered(events);
    });
    const taken = await sink.take();
    assert.ok(taken.events >= events, `the sink has ${taken.events}, not ${events}`);
    return figuresOf(cost, events);
  });
}

interface Running {
  readonly service: BenchService;
  readonly sink: Sink;
  /** Writes for all teams; empty when there are none yet. */
  readonly key: string;
}

export async function withService<T>(
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

export async function connectAll(service: BenchService, teams: readonly string[], sink: Sink): Promise<string[]> {
  const lingerMs = teams.length > 1 ? LINGER_MS : 0;
  const ids: string[] = [];
  for (const team of teams) ids.push(await service.connect(team, sink, { lingerMs }));
  return ids;
}

export function common(service: BenchService, key: string) {
  return { url: service.process.url, key, format: 'json', ids: 'v7' } as const;
}
