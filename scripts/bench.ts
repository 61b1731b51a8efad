import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { eventually, producerEvent } from '../test/rig/events.ts';
import { memoryOf, startService, teamApi, temporaryFolder } from '../test/rig/service.ts';

/**
 * Measures the whole path of events: the real service in a process of its own with a Splunk destination and the search
 * index, loaded over HTTP until everything is delivered and indexed. CPU seconds per million events are the figure to
 * compare: they hardly depend on what else the machine does. Linux only (/proc).
 *
 *   node scripts/bench.ts [--events 200000] [--format json|ndjson] [--batch <events a body>] [--connections 8]
 *                         [--no-destination] [--warm-up 20000] [--profile <folder for CPU profiles>] [--json]
 */
const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    events: { type: 'string', default: '200000' },
    format: { type: 'string', default: 'json' },
    batch: { type: 'string' },
    connections: { type: 'string', default: '8' },
    destination: { type: 'boolean', default: true },
    'warm-up': { type: 'string', default: '20000' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const isNdjson = options.format === 'ndjson';
const batch = Number(options.batch ?? (isNdjson ? 1000 : 100));
const connections = Number(options.connections);

const folder = await temporaryFolder();
const siem = await startSiem();
const service = await startService(
  folder.path,
  options.profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${options.profile}` } : {},
);
try {
  const api = await teamApi(service, folder.path, 'team-0');
  const destinations: string[] = [];
  if (options.destination) {
    const { id } = await api.json<{ id: string }>('POST', '/v1/destinations', {
      kind: 'splunk',
      name: 'Splunk',
      settings: { endpointUrl: siem.url, token: '11111111-2222-3333-4444-555555555555', index: 'audit' },
      startAt: 'beginning',
    });
    destinations.push(id);
  }
  const post = poster(service.url, api.key);
  const isDone = () =>
    eventually(
      async () => {
        for (const id of destinations) {
          const { counts } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
          if (counts.pending > 0 || counts.delivered < post.sent()) throw new Error(`${counts.pending} events waiting`);
        }
        const metrics = await fetch(`${service.url}/metrics`).then((answer) => answer.text());
        if (!/^trailproof_search_lag_events 0$/m.test(metrics)) throw new Error('the index lags behind');
      },
      300_000,
      20,
    );

  await post.load(Number(options['warm-up']));
  await isDone();
  const before = await cpuByThread(service.pid);
  const started = performance.now();
  const latencies = await post.load(Number(options.events));
  const acknowledgedMs = performance.now() - started;
  await isDone();
  const endToEndMs = performance.now() - started;
  const after = await cpuByThread(service.pid);

  const millions = latencies.length * batch * 1e-6;
  const perMillion = (name: string): number => ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / 1000 / millions;
  latencies.sort((a, b) => a - b);
  const result = {
    acknowledgedPerSecond: Math.round((millions * 1e9) / acknowledgedMs),
    endToEndPerSecond: Math.round((millions * 1e9) / endToEndMs),
    cpuSecondsPerMillion: rounded(perMillion('all')),
    threads: Object.fromEntries([...after.keys()].map((name) => [name, rounded(perMillion(name))])),
    acknowledgedMs: { p50: rounded(quantile(latencies, 0.5)), p99: rounded(quantile(latencies, 0.99)) },
    peakMiB: Math.round((await memoryOf(service.pid)).peak),
  };
  if (options.json) console.log(JSON.stringify(result));
  else console.log(result);
  await api.close();
  await post.close();
} finally {
  await service.stop();
  await siem.close();
  await folder.remove();
}

interface Health {
  readonly counts: { readonly delivered: number; readonly pending: number };
}

/** Posts bodies made once, with ids written into them: an event costs the load next to nothing. */
function poster(url: string, key: string) {
  const pool = new Pool(url, { connections });
  const ids = '01980000-0000-7000-8000-';
  const digits = 12;
  const templates = Array.from({ length: 20 }, (_, t) => {
    const events = Array.from({ length: batch }, (__, i) => ({
      ...producerEvent(t * batch + i),
      id: ids + '0'.repeat(digits),
    }));
    const body = Buffer.from(isNdjson ? events.map((e) => JSON.stringify(e)).join('\n') : JSON.stringify(events));
    const places: number[] = [];
    for (let at = body.indexOf(ids); at !== -1; at = body.indexOf(ids, at + 1)) places.push(at + ids.length);
    return { body, places };
  });
  let sent = 0;
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': isNdjson ? 'application/x-ndjson' : 'application/json',
  };
  /** Returns how long each body took to be acknowledged, in milliseconds. */
  const load = async (events: number): Promise<number[]> => {
    const latencies: number[] = [];
    const until = sent + events;
    const worker = async (): Promise<void> => {
      while (sent < until) {
        const { body: template, places } = templates[(sent / batch) % templates.length]!;
        const body = Buffer.from(template);
        for (const place of places) body.write(String(sent++).padStart(digits, '0'), place, 'latin1');
        const started = performance.now();
        const answer = await pool.request({ method: 'POST', path: '/v1/events', headers, body });
        const text = await answer.body.text();
        latencies.push(performance.now() - started);
        if (answer.statusCode !== 200 || !text.includes(`"accepted":${batch},`)) throw new Error(text);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    return latencies;
  };
  return { load, sent: () => sent, close: () => pool.close() };
}

/** Takes everything, at no cost: the stand-in reads every event, which is not what is measured here. */
async function startSiem(): Promise<{ url: string; close(): Promise<unknown> }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"text":"Success","code":0}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return once(server.close(), 'close');
    },
  };
}

/** CPU time used so far in milliseconds, by name of thread; `all`: the process, threads that ended included. */
async function cpuByThread(pid: number): Promise<Map<string, number>> {
  const used = new Map<string, number>();
  const add = async (path: string, as?: string): Promise<void> => {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(await readFile(path, 'utf8')) ?? [];
    const fields = rest.split(' ');
    used.set(as ?? name, (used.get(as ?? name) ?? 0) + (Number(fields[11]) + Number(fields[12])) * 10);
  };
  await add(`/proc/${pid}/stat`, 'all');
  for (const task of await readdir(`/proc/${pid}/task`)) await add(`/proc/${pid}/task/${task}/stat`);
  return used;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.floor((sorted.length - 1) * q)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
