import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { type Api, openApi } from './api.ts';
import { operatorSocket } from './operator-socket.ts';

/** Starts the core of a stopped service, for administration only. */
export type StartCore = (config: Config) => Promise<{ stop(): Promise<void> }>;

/**
 * Runs administrative work against the service of this data folder: through its socket while it runs, else by starting
 * its core for the duration (which takes the folder's lock).
 */
export async function withOperator<T>(
  config: Config,
  startCore: StartCore,
  work: (api: Api) => Promise<T>,
): Promise<T> {
  const socketPath = operatorSocket(config.dataDir);
  const core = (await answers(socketPath)) ? undefined : await startCore(config);
  const api = openApi({ socketPath });
  try {
    return await work(api);
  } finally {
    await api.close();
    await core?.stop();
  }
}

/** Whether a service runs on this data folder. */
export function isServing(config: Config): Promise<boolean> {
  return answers(operatorSocket(config.dataDir));
}

async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  const api = openApi({ socketPath });
  try {
    await api.json('GET', '/healthz');
    return true;
  } catch (error) {
    // A socket file nobody listens on is what a killed service leaves behind.
    if (['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await api.close();
  }
}
