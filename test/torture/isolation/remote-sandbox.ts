import { Worker } from 'node:worker_threads';
import type { StandInCounts } from '../../../src/destinations/destination.ts';
import { connect, onNote } from '../../../src/worker-port.ts';

/** The stand-ins of all kinds, on another thread. */
export interface RemoteStandIns {
  settings(kind: string): Promise<Readonly<Record<string, unknown>>>;
  ids(kind: string): Promise<ReadonlyMap<string, number>>;
  counts(kind: string): Promise<StandInCounts>;
  close(): Promise<void>;
}

export async function startRemoteSandbox(): Promise<RemoteStandIns> {
  const worker = new Worker(new URL('./sandbox-worker.ts', import.meta.url));
  const { service } = connect(worker);
  await new Promise<void>((resolve, reject) => {
    onNote(worker, 'ready', () => resolve());
    worker.once('error', reject);
  });
  const standIns = service<RemoteStandIns>('standIns');
  return {
    settings: (kind) => standIns.settings(kind),
    ids: (kind) => standIns.ids(kind),
    counts: (kind) => standIns.counts(kind),
    close: async () => {
      await standIns.close();
      await worker.terminate();
    },
  };
}
