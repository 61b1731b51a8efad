import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Api, openApi } from '../../src/cli/api.ts';
import { operatorSocket } from '../../src/cli/operator-socket.ts';

/** The real service in a process of its own, as an operator runs it, on a folder that outlives its crashes. */
export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** The one-time set-up link from its log; null when somebody can sign in already. */
  readonly setupUrl: string | null;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'trailproof-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Starts `serve`, from source unless `main` is the built one, and waits until it says where it serves. `through`: a
 * command that becomes the one it is given (nsenter).
 */
export async function startService(
  folder: string,
  env: Record<string, string> = {},
  main = MAIN,
  through: readonly string[] = [],
): Promise<ServiceProcess> {
  const [command, ...args] = [...through, process.execPath, main, 'serve'];
  const child = spawn(command!, args, {
    env: { ...serviceEnv(folder), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endsWithUs(child);
  let errors = '';
  let setupUrl: string | null = null;
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { msg: string; url?: string; level: number };
      if (entry.level >= 50) errors += `${line}\n`;
      if (entry.url?.includes('/setup#')) setupUrl = entry.url;
      if (entry.msg === 'serving') resolve(entry.url!);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code} before it served: ${errors}`)));
  });
  const [kill, stop] = [() => end(child, 'SIGKILL').then(() => {}), () => end(child, 'SIGTERM')];
  return { url, pid: child.pid!, setupUrl, kill, stop };
}

/** What a service under test is started with, on a folder of its own. */
export function serviceEnv(folder: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    DATA_DIR: folder,
    PORT: '0',
    DESTINATION_NETWORK: 'any',
    ALLOW_HTTP_DESTINATIONS: 'true',
    RATE_LIMIT_PER_MINUTE: '1000000',
  };
}

/** A test that is given up leaves no process behind. */
export function endsWithUs(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  const [code] = (await exited) as [number | null];
  return code;
}

/** A team and a key with every scope, made as the command line makes them, and the public API opened with it. */
export async function teamApi(
  service: ServiceProcess,
  folder: string,
  team = 'acme',
): Promise<Api & { readonly key: string }> {
  const operator = openApi({ socketPath: operatorSocket(folder) });
  try {
    await operator.json('POST', '/v1/teams', { id: team, name: team });
    const { key } = await operator.json<{ key: string }>('POST', '/v1/api-keys', {
      team,
      name: 'rig',
      scopes: ['events:write', 'events:read', 'destinations:read', 'destinations:write'],
    });
    return { ...openApi({ url: service.url, key }), key };
  } finally {
    await operator.close();
  }
}

/** Resident memory now and at its highest, in MiB (Linux, /proc). */
export async function memoryOf(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number =>
    Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1] ?? Number.NaN);
  return { now: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

/** CPU time the process has used so far, in milliseconds (Linux; the kernel counts in ticks of 10 ms). */
export async function cpuOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
