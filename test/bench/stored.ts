import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { openApi } from '../../src/cli/api.ts';
import { memoryOf, temporaryFolder } from '../rig/service.ts';
import { createLoad, quantile, seeded } from './load.ts';
import { type BenchService, type Build, costOf, type Figures, startBenchService } from './service.ts';
import { type Sink, startSink } from './sink.ts';

const TEAM = 'acme';
const STORED = 10_000_000;
const FEW = 100_000;
const EXPORTED = 1_000_000;
const MEASURED = 300_000;
const TURNS = 3;
const PERIOD_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;
const ROUNDS = 60;

/** What a service is like that has stored ten million events of one team, over thirty days. */
export async function stored(build: Build): Promise<Figures> {
  const total = STORED * build.scale;
  const sink = await startSink();
  const many = await open(build, sink);
  const few = await open(build, sink);
  try {
    await many.fill(total);
    await few.fill(FEW * build.scale);
    const bytes = await many.service.bytesOnDisk();
    const started = performance.now();
    await many.start();
    const startSeconds = (performance.now() - started) / 1000;
    await wait(5_000);
    const idle = (await memoryOf(many.service.process.pid)).now;
    return {
      ...{ 'bytes an event': bytes / total, 'start, s': startSeconds, 'idle MiB': idle },
      ...(await searching(many.service, many.key, sink)),
      ...(await exporting(many.service, many.key, EXPORTED * build.scale, total)),
      ...(await costs(few, many, MEASURED * build.scale)),
    };
  } finally {
    await many.close();
    await few.close();
    await sink.close();
  }
}

/** A service that is filled, stopped and started again. */
interface Filled {
  readonly service: BenchService;
  readonly key: string;
  /** Stops it then. */
  fill(total: number): Promise<void>;
  start(): Promise<void>;
  /** Ends when so many more are delivered and indexed. */
  add(events: number): Promise<void>;
  close(): Promise<void>;
}

async function open(build: Build, sink: Sink): Promise<Filled> {
  const folder = await temporaryFolder();
  let service = await startBenchService(build.main, folder.path);
  const key = await service.addTeams([TEAM]);
  await service.connect(TEAM, sink);
  const add = async (events: number, timeOf?: (n: number) => number): Promise<void> => {
    await service.quiet();
    const load = createLoad({
      ...{ url: service.process.url, key, teams: [TEAM], format: 'ndjson', batch: 1000, connections: 8, ids: 'v7' },
      ...(timeOf && { timeOf }),
    });
    // In parts, so that the sink need not keep everything.
    for (let left = events; left > 0; left -= 1_000_000) {
      const before = load.acknowledged();
      await load.flatOut(Math.min(left, 1_000_000));
      await service.delivered(load.acknowledged() - before);
      await sink.take();
    }
    await load.close();
  };
  return {
    get service() {
      return service;
    },
    key,
    fill: async (total) => {
      const startsAt = Date.now() - PERIOD_MS;
      await add(total, (n) => startsAt + (PERIOD_MS * n) / total);
      await service.close();
    },
    start: async () => {
      service = await startBenchService(build.main, folder.path);
    },
    add: (events) => add(events),
    close: async () => {
      await service.close();
      await folder.remove();
    },
  };
}

/** CPU of the next events, in turns: what the machine does besides meets both alike. */
async function costs(few: Filled, many: Filled, events: number): Promise<Figures> {
  await few.start();
  const perMillion = new Map<Filled, number[]>([few, many].map((each) => [each, []]));
  for (const each of perMillion.keys()) await each.add(events);
  for (let turn = 0; turn < TURNS; turn++)
    for (const [each, measured] of perMillion) {
      const { cpu } = await costOf(each.service.process.pid, () => each.add(events));
      measured.push((cpu / events) * 1e6);
    }
  const [withFew = Number.NaN, withMany = Number.NaN] = [few, many].map((each) => quantile(perMillion.get(each)!, 0.5));
  return {
    ...{ 'cost with 100 k stored, CPU s/M': withFew, 'cost with 10 M stored, CPU s/M': withMany },
    'cost, ratio': withMany / withFew,
  };
}

/** While a thousand events a second come in. */
async function searching(service: BenchService, key: string, sink: Sink): Promise<Figures> {
  const api = openApi({ url: service.process.url, key });
  const load = createLoad({
    ...{ url: service.process.url, key, teams: [TEAM], format: 'json', batch: 10, connections: 8, ids: 'v7' },
  });
  const stop = new AbortController();
  const arriving = load.paced(100, 600, stop.signal);
  const random = seeded(11);
  const below = (n: number): number => Math.floor(random() * n);
  const now = Date.now();
  const iso = (at: number): string => encodeURIComponent(new Date(at).toISOString());
  const p95 = async (path: () => string): Promise<number> => {
    const times: number[] = [];
    for (let round = -3; round < ROUNDS; round++) {
      const started = performance.now();
      await api.json('GET', path());
      if (round >= 0) times.push(performance.now() - started);
    }
    return quantile(times, 0.95);
  };
  try {
    const types = ['auth.login.failure', 'user.role_changed', 'apikey.created'];
    return {
      'three filters, p95 ms': await p95(() => {
        const from = now - PERIOD_MS + below(PERIOD_MS - DAY_MS);
        const type = types[below(types.length)];
        return `/v1/events?limit=50&eventType=${type}&target=usr_${below(977)}&to=${iso(from + DAY_MS)}`;
      }),
      'free text, p95 ms': await p95(() => `/v1/events?limit=50&q=person.${1_000 + below(100_000)}`),
      'count of a day, p95 ms': await p95(() => {
        const from = now - PERIOD_MS + below(PERIOD_MS - DAY_MS);
        return `/v1/events/histogram?from=${iso(from)}&to=${iso(from + DAY_MS)}&bucketSeconds=3600`;
      }),
    };
  } finally {
    stop.abort();
    await arriving;
    await load.close();
    await api.close();
    await sink.take();
  }
}

/** The events of as many days as hold `events`. */
async function exporting(service: BenchService, key: string, events: number, total: number): Promise<Figures> {
  const api = openApi({ url: service.process.url, key });
  const to = Date.now() - DAY_MS;
  const from = to - (PERIOD_MS * events) / total;
  const range = `from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}`;
  const perSecond = async (format: 'ndjson' | 'csv'): Promise<number> => {
    const started = performance.now();
    let lines = 0;
    for await (const chunk of (await api.stream(
      `/v1/events/export?format=${format}&${range}`,
    )) as AsyncIterable<Buffer>)
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
    assert.ok(lines > events * 0.9, `${lines} lines of ${events} events`);
    return (lines / (performance.now() - started)) * 1000;
  };
  const before = (await memoryOf(service.process.pid)).now;
  try {
    const [ndjson, csv] = [await perSecond('ndjson'), await perSecond('csv')];
    const after = (await memoryOf(service.process.pid)).peak;
    return { 'NDJSON events/s': ndjson, 'CSV events/s': csv, 'memory for exports, MiB': after - before };
  } finally {
    await api.close();
  }
}
