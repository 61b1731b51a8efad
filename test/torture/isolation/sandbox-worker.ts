import { parentPort } from 'node:worker_threads';
import { startSandbox } from '../../../src/sandbox.ts';
import { expose, note } from '../../../src/worker-port.ts';
import type { RemoteStandIns } from './remote-sandbox.ts';

/* The stand-ins on a thread of their own, so that those of one team do not keep those of another waiting. */

const port = parentPort!;
const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 1 });
const standIns: RemoteStandIns = {
  settings: async (kind) => sandbox.standIns.get(kind)!.settings,
  ids: async (kind) => sandbox.standIns.get(kind)!.ids(),
  counts: async (kind) => sandbox.standIns.get(kind)!.counts(),
  close: () => sandbox.close(),
};
expose(port, { standIns });
note(port, 'ready', null);
