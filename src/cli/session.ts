import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { type Api, type ApiError, openApi } from './api.ts';
import { commandSocket, operatorSocket } from './operator-socket.ts';

/** The core of a stopped service, for administration only. */
export interface Core {
  startCore(config: Config): Promise<{ stop(): Promise<void> }>;
  /** Whether the core did not start because another process has the folder. */
  isFolderTaken(error: unknown): boolean;
}

/**
 * Runs administrative work against the service of this data folder: through its socket while it runs, else by starting
 * its core for the duration (which takes the folder's lock).
 */
export async function withOperator<T>(config: Config, core: Core, work: (api: Api) => Promise<T>): Promise<T> {
  const started = await startUnlessServing(config, core);
  const api = openApi({ socketPath: started ? commandSocket(config.dataDir) : operatorSocket(config.dataDir) });
  try {
    return await work(api);
  } finally {
    await api.close();
    await started?.stop();
  }
}

/** Waits for whoever has the folder and does not answer: another command, or a service that is starting or stopping. */
async function startUnlessServing(config: Config, { startCore, isFolderTaken }: Core) {
  for (const until = performance.now() + OTHERS_TAKE_MS; ; await wait(ASK_AGAIN_MS)) {
    if (await isServing(config)) return undefined;
    try {
      return await startCore(config);
    } catch (error) {
      if (!isFolderTaken(error) || performance.now() > until) throw error;
    }
  }
}

const OTHERS_TAKE_MS = 10_000;
const ASK_AGAIN_MS = 100;

/** Whether a service runs on this data folder. */
export async function isServing(config: Config): Promise<boolean> {
  const socketPath = operatorSocket(config.dataDir);
  if (!existsSync(socketPath)) return false;
  const api = openApi({ socketPath });
  try {
    await api.json('GET', '/healthz');
    return true;
  } catch (error) {
    // A socket file nobody listens on is what a killed service leaves behind; the others are a service that stops.
    if (NOT_SERVING.has((error as NodeJS.ErrnoException | ApiError).code ?? '')) return false;
    throw error;
  } finally {
    await api.close();
  }
}

const NOT_SERVING = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'UND_ERR_SOCKET', 'shutting_down']);
