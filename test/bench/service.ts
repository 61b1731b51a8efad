import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { type Api, openApi } from '../../src/cli/api.ts';
import { operatorSocket } from '../../src/cli/operator-socket.ts';
import { eventually } from '../rig/events.ts';
import { memoryOf, type ServiceProcess, startService, temporaryFolder } from '../rig/service.ts';
import type { Sink } from './sink.ts';

export interface Build {
  /** The bundle, as users run it. */
  readonly main: string | undefined;
  /** 1: as promised; less: as many events less, to see whether a line works. */
  readonly scale: number;
}

/** What one line measures, by name of the figure: rates per second, CPU seconds per million events, ms, MiB, bytes. */
export type Figures = Readonly<Record<string, number>>;

/** The service under measurement, in a process of its own, with every feature on. */
export interface BenchService {
  readonly folder: string;
  readonly process: ServiceProcess;
  /** The operator's API. */
  readonly operator: Api;
  /** Makes the teams; returns a key that writes for all of them, or for the only one. */
  addTeams(teams: readonly string[]): Promise<string>;
  /** Ends when so many more events are delivered than at the last call, and all are indexed unless the index is held. */
  delivered(events: number): Promise<void>;
  /** Ends when nothing more is delivered: the service's own events, of what was set up, are no part of a measurement. */
  quiet(): Promise<void>;
  /** Ends when the index has caught up. */
  indexed(): Promise<void>;
  /** Makes the team a Splunk destination that sends to `sink`; returns its id. */
  connect(team: string, sink: Sink, options?: { readonly lingerMs?: number }): Promise<string>;
  metric(name: string): Promise<number>;
  /**
   * Keeps the index from growing, as a lock that another program holds on its file would: the service has no switch for
   * it. Returns how to let it go on.
   */
  holdIndex(): () => void;
  /** Bytes of all files in the data folder. */
  bytesOnDisk(): Promise<number>;
  close(): Promise<void>;
}

const TOKEN = '11111111-2222-3333-4444-555555555555';
const SETTLES_WITHIN_MS = 300_000;
/** Asking costs the service something, too. */
const POLL_MS = 100;
/** Longer than a lane gathers. */
const QUIET_MS = 1_500;
const DELIVERED = 'trailproof_destination_events\\{[^}]*figure="delivered"\\}';

/** Starts `main` on a new folder, or on `folder`, which stays. */
export async function startBenchService(main: string | undefined, folder?: string): Promise<BenchService> {
  const own = folder === undefined ? await temporaryFolder() : null;
  const path = folder ?? own!.path;
  const profile = process.env['TRAILPROOF_BENCH_PROFILE'];
  const running = await startService(
    path,
    profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` } : {},
    main,
  );
  const operator = openApi({ socketPath: operatorSocket(path) });
  let isHeld = false;
  const metrics = async (): Promise<string> => (await fetch(`${running.url}/metrics`)).text();
  const sumOf = (text: string, name: string): number =>
    [...text.matchAll(new RegExp(`^${name} (\\d+)$`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0);
  const until = (holds: (text: string) => string | null): Promise<void> =>
    eventually(
      async () => {
        const problem = holds(await metrics());
        if (problem !== null) throw new Error(problem);
      },
      SETTLES_WITHIN_MS,
      POLL_MS,
    );
  const isIndexed = (text: string): string | null => {
    const lag = sumOf(text, 'trailproof_search_lag_events');
    return lag === 0 ? null : `${lag} events are not indexed`;
  };
  let expected = 0;
  return {
    folder: path,
    process: running,
    operator,
    addTeams: async (teams) => {
      for (const id of teams) await operator.json('POST', '/v1/teams', { id, name: id });
      const team = teams.length === 1 ? teams[0] : undefined;
      const scopes = ['events:write', ...(team ? ['events:read', 'destinations:read'] : [])];
      const { key } = await operator.json<{ key: string }>('POST', '/v1/api-keys', {
        ...(team && { team }),
        name: 'bench',
        scopes,
      });
      return key;
    },
    connect: async (team, { url, caCertificate }, options = {}) => {
      const settings = { endpointUrl: url, token: TOKEN, index: 'audit', ...(caCertificate && { caCertificate }) };
      const destination = { kind: 'splunk', name: 'Splunk', settings, ...options };
      return (await operator.json<{ id: string }>('POST', `/v1/destinations?team=${team}`, destination)).id;
    },
    quiet: async () => {
      for (let before = -1; before !== expected; await wait(QUIET_MS)) {
        before = expected;
        expected = sumOf(await metrics(), DELIVERED);
      }
    },
    delivered: (events) => {
      expected += events;
      return until((text) => {
        const delivered = sumOf(text, DELIVERED);
        const pending = sumOf(text, 'trailproof_destination_events\\{[^}]*figure="pending"\\}');
        if (delivered < expected || pending > 0) return `${delivered} of ${expected} are delivered, ${pending} wait`;
        return isHeld ? null : isIndexed(text);
      });
    },
    indexed: () => until(isIndexed),
    metric: async (name) => sumOf(await metrics(), name),
    holdIndex: () => {
      const database = new DatabaseSync(join(path, 'index.db'));
      database.exec('BEGIN IMMEDIATE');
      isHeld = true;
      return () => {
        database.exec('ROLLBACK');
        database.close();
        isHeld = false;
      };
    },
    bytesOnDisk: async () => {
      const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    close: async () => {
      await operator.close();
      await running.stop();
      await own?.remove();
    },
  };
}

/** What a stretch of work took of the service. */
export interface Cost {
  readonly seconds: number;
  /** CPU seconds of the whole process, and of its threads by name. */
  readonly cpu: number;
  readonly threads: Readonly<Record<string, number>>;
  /** Highest resident memory since the service started, MiB. */
  readonly peakMiB: number;
}

/** Measures the service while `work` goes on. */
export async function costOf(pid: number, work: () => Promise<unknown>): Promise<Cost> {
  const before = await cpuByThread(pid);
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const after = await cpuByThread(pid);
  const { all: cpu = 0, ...threads } = Object.fromEntries(
    [...after].map(([name, used]) => [name, used - (before.get(name) ?? 0)]),
  );
  return { seconds, cpu, threads, peakMiB: (await memoryOf(pid)).peak };
}

export function figuresOf({ seconds, cpu: used, threads, peakMiB }: Cost, events: number): Figures {
  const perMillion = (value: number): number => (value / events) * 1e6;
  return {
    'events/s': events / seconds,
    'CPU s/M': perMillion(used),
    ...Object.fromEntries(Object.entries(threads).map(([name, value]) => [`${name} s/M`, perMillion(value)])),
    'peak MiB': peakMiB,
  };
}

/** CPU time used so far in seconds, by name of thread; `all`: the process, threads that ended included (Linux, /proc). */
async function cpuByThread(pid: number): Promise<Map<string, number>> {
  const used = new Map<string, number>();
  const add = async (path: string, as?: string): Promise<void> => {
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(await readFile(path, 'utf8')) ?? [];
    const fields = rest.split(' ');
    used.set(as ?? name, (used.get(as ?? name) ?? 0) + (Number(fields[11]) + Number(fields[12])) / 100);
  };
  await add(`/proc/${pid}/stat`, 'all');
  for (const task of await readdir(`/proc/${pid}/task`)) await add(`/proc/${pid}/task/${task}/stat`);
  return used;
}
