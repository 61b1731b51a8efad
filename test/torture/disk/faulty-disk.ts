import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../rig/service.ts';
import type { Operation } from './memory-disk.ts';
import type { Forgetting } from './power-cut.ts';

/** Each is asked anew for every call. Chances are from 0 to 1. */
export interface Faults {
  /** How long each sync takes, from … to; null: no time. */
  readonly syncMs: readonly [number, number] | null;
  /** No sync ends until this is off again. */
  readonly holdSyncs: boolean;
  /** EIO; what was to be synced is lost if the power fails later. */
  readonly failSync: number;
  readonly failWrite: number;
  /** ENOSPC of single writes. */
  readonly noSpace: number;
  /** EPERM for a file's second name: not every file system has them. */
  readonly noLinks: boolean;
}

export interface DiskOptions {
  readonly folder: string;
  /** What fits on it. */
  readonly bytes: number;
  /** What the record may hold; past it the disk ends. */
  readonly recordBytes: number;
  readonly seed: string;
  /** A folder whose files are on the disk at first. */
  readonly image: string | null;
}

export type DiskCommand = { readonly id: number } & (
  | { readonly what: 'faults'; readonly faults: Partial<Faults> }
  | { readonly what: 'space'; readonly bytes: number | null }
  | { readonly what: 'state' | 'record' }
  | {
      readonly what: 'cut';
      readonly place: number;
      readonly forgetting: Forgetting;
      readonly seed: string;
      readonly into: string;
    }
);

export interface DiskReply {
  readonly id: number;
  readonly value: unknown;
}

export interface DiskState {
  readonly used: number;
  /** Calls that a fault refused. */
  readonly refused: number;
  readonly syncs: number;
  /** Syncs that do not end. */
  readonly held: number;
  /** Operations in the record. */
  readonly place: number;
}

/** A disk that fails on command and remembers what was done to it. */
export interface FaultyDisk {
  /** Where it is mounted, for processes started through `enter`. */
  readonly folder: string;
  /** The same folder as this process reaches it. Only asynchronous calls. */
  readonly outside: string;
  /** The command, with its arguments, that runs another where the disk is mounted. */
  readonly enter: readonly string[];
  fail(faults: Partial<Faults>): Promise<void>;
  /** Leaves room for `bytes` in all; null: as many as are in use now. */
  limit(bytes: number | null): Promise<void>;
  state(): Promise<DiskState>;
  record(): Promise<readonly Pick<Operation, 'at' | 'kind'>[]>;
  /** Writes to an empty folder what is left when the power fails after the first `place` operations. */
  cut(place: number, forgetting: Forgetting, seed: string, into: string): Promise<void>;
  close(): Promise<void>;
}

export const NO_FAULTS: Faults = {
  syncMs: null,
  holdSyncs: false,
  failSync: 0,
  failWrite: 0,
  noSpace: 0,
  noLinks: false,
};
const MIB = 1024 * 1024;
const PROCESS = join(import.meta.dirname, 'disk-process.ts');

export async function openFaultyDisk(options: { seed: string; mib?: number; image?: string }): Promise<FaultyDisk> {
  const folder = await temporaryFolder();
  const settings: DiskOptions = {
    folder: folder.path,
    bytes: (options.mib ?? 48) * MIB,
    recordBytes: 512 * MIB,
    seed: options.seed,
    image: options.image ?? null,
  };
  const child = spawn('unshare', ['-Urm', process.execPath, PROCESS, JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const close = async (): Promise<void> => {
    await end(child);
    await folder.remove();
  };
  try {
    const { ready, ask } = conversation(child);
    await ready;
    return {
      folder: folder.path,
      outside: `/proc/${child.pid}/root${folder.path}`,
      enter: ['nsenter', '--preserve-credentials', '-U', '-m', '-t', `${child.pid}`],
      fail: async (faults) => void (await ask({ what: 'faults', faults })),
      limit: async (bytes) => void (await ask({ what: 'space', bytes })),
      state: async () => (await ask({ what: 'state' })) as DiskState,
      record: async () => (await ask({ what: 'record' })) as readonly Pick<Operation, 'at' | 'kind'>[],
      cut: async (place, forgetting, seed, into) => void (await ask({ what: 'cut', place, forgetting, seed, into })),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Why there can be no such disk here; null when there can. */
export function whyNoDisk(): string | null {
  if (process.platform !== 'linux') return 'the disk needs Linux';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
  } catch {
    return 'no /dev/fuse that may be opened';
  }
  const mount = 'exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 trailproof /tmp';
  for (const [tool, ...args] of [
    ['unshare', '-Urm', 'sh', '-c', mount],
    ['nsenter', '--version'],
  ] as const) {
    const { error, status, stderr } = spawnSync(tool, args, { encoding: 'utf8', timeout: 10_000 });
    if (error || status !== 0) return `${tool}: ${error?.message ?? stderr.trim()}`;
  }
  return null;
}

function conversation(child: ChildProcess) {
  let next = 1;
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const fail = (error: Error): void => {
    for (const { reject } of open.values()) reject(error);
    open.clear();
  };
  child.on('message', ({ id, value }: DiskReply) => {
    open.get(id)?.resolve(value);
    open.delete(id);
  });
  child.once('exit', (code, signal) => fail(new Error(`the disk ended with ${code ?? signal}`)));
  child.once('error', fail);
  const answered = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      open.set(id, { resolve, reject });
    });
  return {
    ready: answered(0),
    ask: (command: WithoutId<DiskCommand>): Promise<unknown> => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('the disk has ended');
      const id = next++;
      const answer = answered(id);
      child.send({ ...command, id });
      return answer;
    },
  };
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
