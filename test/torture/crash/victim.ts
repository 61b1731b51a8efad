import { Worker } from 'node:worker_threads';
import type { LogWorkerData } from '../../../src/log-worker.ts';
import { lockFolder } from '../../../src/store/sqlite/folder-lock.ts';
import type { Envelope, KillAt, VictimOptions } from './child.ts';

/*
 * The service without its HTTP side, in a process that starts quickly and may be killed at any moment: the real workers,
 * as start.ts spawns them. What the channel brings is for one of them, and what they say goes back.
 */

const options: VictimOptions = JSON.parse(process.argv[2] ?? '{}');
const { folder, deliver, killAt } = options;
const masterKey = Buffer.from(options.masterKey, 'hex');
// Given up with the process, however it ends.
lockFolder(folder);

const log = spawn('log', {
  ...{ folder, masterKey, deliver, previousKeys: [], network: 'any', allowHttp: true },
  proxies: { https: null, http: null, except: [] },
  ...{ brand: 'Acme', retentionDays: 365, logLevel: 'error' },
} satisfies LogWorkerData);
await ready(log);
const index = options.index ? spawn('index', { folder, logLevel: 'error' }) : undefined;
log.on('message', (message) => {
  if ('note' in message && message.note === 'appended') index?.postMessage(message);
});
index?.postMessage({ note: 'open', value: null });
if (index) await ready(index);
process.on('message', ({ worker, message }: Envelope) => {
  if (worker === 'process') process.exit();
  (worker === 'log' ? log : index)?.postMessage(message);
});
process.on('disconnect', () => process.exit());
process.send?.({ worker: 'process', message: 'ready' } satisfies Envelope);

function spawn(name: 'log' | 'index', workerData: object): Worker {
  const isDying = killAt?.worker === name;
  const worker = new Worker(new URL(`../../../src/${name}-worker.ts`, import.meta.url), {
    workerData,
    ...(isDying ? dying(killAt) : {}),
  });
  worker.on('message', (message: unknown) => process.send?.({ worker: name, message } satisfies Envelope));
  worker.on('error', (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  });
  return worker;
}

function dying({ kind, count }: KillAt): { execArgv: string[]; env: NodeJS.ProcessEnv } {
  const preload = new URL('./kill-point.ts', import.meta.url).href;
  return { execArgv: ['--import', preload], env: { ...process.env, KILL_AT: `${kind}:${count}` } };
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.on('message', ({ note }: { note?: string }) => {
      if (note === 'ready') resolve();
    });
  });
}
