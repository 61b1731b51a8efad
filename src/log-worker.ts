import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from './clock.ts';
import { createDelivery } from './delivery/deliver.ts';
import { destinationOpener } from './delivery/open-destination.ts';

import { destinationKinds } from './destinations/registry.ts';
import { createOpenOutbound } from './outbound/open-outbound.ts';
import type { NetworkPolicy } from './outbound/outbound.ts';
import { startRetention } from './retention/retention.ts';
import { Secret, SecretBox } from './secrets.ts';
import { exposeAppend } from './store/append-port.ts';
import { sendable } from './store/log-port.ts';
import { openSqliteStore } from './store/sqlite/store.ts';
import { createLogger } from './telemetry/logger.ts';
import { expose, note } from './worker-port.ts';

/**
 * Composition root of the log worker: the only writer of the database. Appends, delivers, and deletes by retention;
 * gzip runs on the libuv pool, everything else here.
 */
export interface LogWorkerData {
  readonly folder: string;
  readonly masterKey: Uint8Array;
  readonly previousKeys: readonly Uint8Array[];
  readonly network: NetworkPolicy;
  readonly allowHttp: boolean;
  /** URLs with their credentials: a Secret does not cross to another thread. */
  readonly proxies: { readonly https: string | null; readonly http: string | null; readonly except: readonly string[] };
  readonly brand: string;
  readonly retentionDays: number;
  readonly logLevel: string;
  /** False for administrative commands on a stopped service: nothing is delivered or deleted. */
  readonly deliver: boolean;
}

const data = workerData as LogWorkerData;
const port = parentPort!;
const clock = systemClock;
const logger = createLogger({ level: data.logLevel, thread: 'log' });
const secretBox = new SecretBox(
  Buffer.from(data.masterKey),
  data.previousKeys.map((key) => Buffer.from(key)),
);

const store = openSqliteStore({ folder: data.folder, clock, logger, defaultRetentionDays: data.retentionDays });
const openDestination = destinationOpener({
  kinds: destinationKinds,
  openOutbound: createOpenOutbound({
    network: data.network,
    allowHttp: data.allowHttp,
    proxies: {
      https: data.proxies.https === null ? null : new Secret(data.proxies.https),
      http: data.proxies.http === null ? null : new Secret(data.proxies.http),
      except: data.proxies.except,
    },
  }),
  secretBox,
  clock,
  brand: data.brand,
});
const delivery = createDelivery({
  log: store.log,
  store: store.destinations,
  openDestination,
  clock,
  random: Math.random,
  logger,
  onStateChanged: (destination) => note(port, 'state', { destination }),
});

store.onAppended((grown) => note(port, 'appended', grown));
if (data.deliver) await delivery.start();
const retention = data.deliver
  ? startRetention({
      log: store.log,
      teams: store.teams,
      settledThrough: (team) => delivery.settledThrough(team),
      pruneAttempts: (at) => store.destinations.pruneAttempts(at),
      clock,
      logger,
    })
  : undefined;

expose(port, {
  log: sendable(store.log),
  append: exposeAppend(store.log),
  teams: store.teams,
  keys: store.keys,
  people: store.people,
  alerts: store.alerts,
  delivery,
  worker: {
    /** Ends deliveries (those in flight get time to settle), then closes the database. */
    stop: async (): Promise<void> => {
      await retention?.stop();
      await delivery.stop();
      await store.close();
    },
  },
});
note(port, 'ready', null);
