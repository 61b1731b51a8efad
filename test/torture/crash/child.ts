import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Delivery } from '../../../src/delivery/delivery.ts';
import type { Search } from '../../../src/search/search.ts';
import type { ApiKeyStore } from '../../../src/store/api-keys.ts';
import type { EventLog } from '../../../src/store/event-log.ts';
import type { TeamStore } from '../../../src/store/teams.ts';
import { connect, type Port } from '../../../src/worker-port.ts';
import { temporaryFolder } from '../../rig/service.ts';

/** Where a thread of the victim kills the whole process; see kill-point.ts. */
export interface KillAt {
  readonly worker: 'log' | 'index';
  readonly kind: 'commit' | 'statement';
  readonly count: number;
}

export interface VictimOptions {
  readonly folder: string;
  /** Hex. */
  readonly masterKey: string;
  readonly deliver: boolean;
  /** With the search index's worker. */
  readonly index: boolean;
  readonly killAt: KillAt | null;
}

export interface Envelope {
  readonly worker: 'log' | 'index' | 'process';
  readonly message: unknown;
}

/** The workers of the service in a process of their own. Calls reject when it is gone before they are answered. */
export interface Victim {
  readonly log: EventLog;
  readonly teams: TeamStore;
  readonly keys: ApiKeyStore;
  readonly delivery: Delivery;
  readonly search: Search;
  /** True when it serves, false when it died before. */
  readonly ready: Promise<boolean>;
  /** Resolves when the process has ended, however. */
  readonly gone: Promise<void>;
  readonly isGone: () => boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends in order: what is in flight settles, the store closes. */
  stop(): Promise<void>;
}

/** What a call of a victim that died comes to. */
export class VictimGone extends Error {}

export const MASTER_KEY = Buffer.alloc(32, 7).toString('hex');

/** Begins to start one: it may be killed before it is ready. */
export function startVictim(folder: string, options: Partial<VictimOptions> = {}): Victim {
  const all: VictimOptions = { folder, masterKey: MASTER_KEY, deliver: true, index: false, killAt: null, ...options };
  const child = fork(VICTIM, [JSON.stringify(all)], {
    serialization: 'advanced',
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compileCache() },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isGone = true;
      for (const end of [log, index]) end.fail(new VictimGone('the victim is gone'));
      resolve();
    });
  });
  const ready = new Promise<boolean>((resolve) => {
    child.on('message', ({ worker }: Envelope) => {
      if (worker === 'process') resolve(true);
    });
    void gone.then(() => resolve(false));
  });
  const log = connect(portTo(child, 'log'));
  const index = connect(portTo(child, 'index'));
  return {
    log: log.service('log'),
    teams: log.service('teams'),
    keys: log.service('keys'),
    delivery: log.service('delivery'),
    search: index.service('search'),
    ...{ ready, gone, isGone: () => isGone },
    kill: () => {
      child.kill('SIGKILL');
      return gone;
    },
    stop: async () => {
      await log.service<{ stop(): Promise<void> }>('worker').stop();
      child.send({ worker: 'process', message: 'end' } satisfies Envelope);
      await gone;
    },
  };
}

/** Starts one and ends it in order, so that those after it find their code compiled: a killed process keeps nothing. */
export function warmUp(): Promise<void> {
  warm ??= (async () => {
    const folder = await temporaryFolder();
    try {
      const victim = startVictim(folder.path, { index: true });
      await victim.ready;
      await victim.stop();
    } finally {
      await folder.remove();
    }
  })();
  return warm;
}
let warm: Promise<void> | undefined;

/** Where processes keep their compiled code while this one lives. */
export function compileCache(): string {
  if (cache === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'trailproof-compiled-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    cache = made;
  }
  return cache;
}
let cache: string | undefined;

const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url));

function portTo(child: ChildProcess, worker: 'log' | 'index'): Port {
  return {
    postMessage: (message) => {
      // One that is gone hears nothing: the call is rejected when its end is known.
      if (child.connected) child.send({ worker, message } satisfies Envelope, () => {});
    },
    on: (event, listener) =>
      child.on(event, (envelope: Envelope) => {
        if (envelope.worker === worker) listener(envelope.message);
      }),
  };
}
