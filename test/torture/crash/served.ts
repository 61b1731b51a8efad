import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Api, openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import type { Scope } from '../../../src/contract/scopes.ts';
import { endsWithUs, serviceEnv } from '../../rig/service.ts';
import { compileCache } from './child.ts';
import type { Site } from './site.ts';

/** The whole service in a process of its own, from the moment it is started: it may be killed before it serves. */
export interface Served {
  /** Where it serves; null when it ended before. */
  readonly url: Promise<string | null>;
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const KILL_POINT = new URL('./kill-point.ts', import.meta.url).href;

/** `killAt`: the operation at which it kills itself, in whichever thread; see kill-point.ts. */
export function startServed(
  folder: string,
  {
    args = ['serve'],
    killAt,
  }: { args?: string[]; killAt?: { readonly kind: 'file' | 'commit'; readonly count: number } } = {},
): Served {
  const child = spawn(process.execPath, [...(killAt === undefined ? [] : ['--import', KILL_POINT]), MAIN, ...args], {
    env: {
      ...serviceEnv(folder),
      NODE_COMPILE_CACHE: compileCache(),
      ...(killAt === undefined ? {} : { KILL_AT: `${killAt.kind}:${killAt.count}` }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endsWithUs(child);
  let code: number | null = null;
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (status) => {
      code = status;
      isGone = true;
      resolve();
    });
  });
  const url = new Promise<string | null>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"serving"')) resolve((JSON.parse(line) as { url: string }).url);
    });
    void gone.then(() => resolve(null));
  });
  return {
    ...{ url, gone, isGone: () => isGone },
    kill: () => {
      child.kill('SIGKILL');
      return gone;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
      return code;
    },
  };
}

/** Starts the service, does `work` with it, and kills it whatever happens. */
export async function withServed<T>({ folder }: Site, work: (url: string, served: Served) => Promise<T>): Promise<T> {
  const served = startServed(folder);
  try {
    const url = await served.url;
    if (url === null) throw new Error('the service did not start');
    return await work(url, served);
  } finally {
    await served.kill();
  }
}

/** Does `work` with the operator's socket of the running service. */
export async function asOperator<T>({ folder }: Site, work: (api: Api) => Promise<T>): Promise<T> {
  const api = openApi({ socketPath: operatorSocket(folder) });
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

/** A new key with every scope a program needs; `team` null: of the installation. */
export async function newKey(operator: Api, team: string | null): Promise<string> {
  const scopes: Scope[] = ['events:write', 'events:read', 'destinations:read', 'destinations:write'];
  return (await operator.json<{ key: string }>('POST', '/v1/api-keys', { team, name: 'bench', scopes })).key;
}

/** Makes a destination over the API, from the log's beginning; its stand-in is known to the site from then on. */
export async function createDestination(site: Site, api: Api, kind: string, change: object = {}): Promise<string> {
  const standIn = site.sandbox.standIns.get(kind)!;
  const body = { kind, name: kind, settings: standIn.settings, startAt: 'beginning', ...change };
  const { id } = await api.json<{ id: string }>('POST', '/v1/destinations', body);
  site.standIns.set(id, standIn);
  return id;
}
