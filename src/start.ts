import { chmod, mkdir, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createKeyring } from './auth/api-keys.ts';
import { commandSocket, operatorSocket } from './cli/operator-socket.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config/config.ts';
import { forgetPreviousKeys, loadMasterKey } from './config/master-key.ts';
import type { Delivery } from './delivery/delivery.ts';
import { resealAll } from './delivery/open-destination.ts';
import { destinationKinds } from './destinations/registry.ts';
import { buildServer } from './http/server.ts';
import type { IndexWorkerData } from './index-worker.ts';
import { createAccept } from './ingest/accept.ts';
import type { LogWorkerData } from './log-worker.ts';
import { createOpenOutbound } from './outbound/open-outbound.ts';
import type { Search } from './search/search.ts';
import { SecretBox } from './secrets.ts';
import type { ApiKeyStore } from './store/api-keys.ts';
import type { EventLog } from './store/event-log.ts';
import { lockFolder } from './store/sqlite/folder-lock.ts';
import { createTailSignal } from './store/tail-signal.ts';
import type { TeamStore } from './store/teams.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { connect, note, onNote } from './worker-port.ts';

export interface Running {
  /** Where the HTTP API answers; null when started for administration only. */
  readonly url: string | null;
  /** Refuses new requests, finishes those in progress, lets deliveries in flight settle, closes the store. */
  stop(): Promise<void>;
  /** Resolves with the reason when a part of the service died; never otherwise. */
  readonly died: Promise<Error>;
}

/**
 * Builds the whole service, top to bottom, and starts it. With `serve: false` only the store and the operator's socket
 * are started: administrative commands on a stopped service.
 */
export async function start(config: Config, logger: Logger, { serve }: { readonly serve: boolean }): Promise<Running> {
  const clock = systemClock;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const lock = lockFolder(config.dataDir);
  const stopping: (() => Promise<unknown>)[] = [async () => lock.release()];
  const stop = async (): Promise<void> => {
    for (const step of stopping.splice(0).reverse()) await step();
  };

  try {
    const master = loadMasterKey(config);
    if (master.created)
      logger.warn(
        { file: master.file },
        'made a master key; back it up, without it no stored credential can be opened',
      );
    const secretBox = new SecretBox(master.key, master.previous);
    const openOutbound = createOpenOutbound({
      network: config.destinationNetwork,
      allowHttp: config.allowHttpDestinations,
    });
    let died: (reason: Error) => void = () => {};
    const death = new Promise<Error>((resolve) => {
      died = resolve;
    });

    const logWorker = await spawn<LogWorkerData>('log-worker', died, {
      folder: config.dataDir,
      masterKey: master.key,
      previousKeys: master.previous,
      network: config.destinationNetwork,
      allowHttp: config.allowHttpDestinations,
      brand: config.brandName,
      retentionDays: config.retentionDays,
      logLevel: config.logLevel,
      deliver: serve,
    });
    stopping.push(logWorker.stop);
    const log = logWorker.service<EventLog>('log');
    const teams = logWorker.service<TeamStore>('teams');
    const keys = logWorker.service<ApiKeyStore>('keys');
    const delivery = logWorker.service<Delivery>('delivery');

    if (master.previous.length > 0) {
      logger.info(
        { destinations: await resealAll(delivery, secretBox) },
        'sealed credentials under the new master key',
      );
      forgetPreviousKeys(config.dataDir);
    }

    const indexWorker = await spawn<IndexWorkerData>('index-worker', died, {
      folder: config.dataDir,
      logLevel: config.logLevel,
    });
    stopping.push(indexWorker.stop);
    const reader = indexWorker.service<Pick<EventLog, 'read' | 'find' | 'bounds' | 'vocabulary'>>('log');
    const search = indexWorker.service<Search>('search');

    const tail = createTailSignal();
    onNote<{ team: string; last: number }>(logWorker.port, 'appended', (appended) => {
      tail.note(appended.team, appended.last);
      note(indexWorker.port, 'appended', appended);
    });

    const metrics = createMetrics({ totals: () => delivery.totals(), indexLag: () => search.lag() });
    const isTeamKnown = async (team: string): Promise<boolean> => (await teams.get(team)) !== undefined;
    const accept = createAccept({ log, clock, ...(config.autoCreateTeams ? {} : { isTeamKnown }) });
    const keyring = createKeyring({ store: keys, append: (events) => log.append(events), clock });
    stopping.push(() => keyring.close());
    const parts = {
      config,
      accept,
      log: {
        read: reader.read,
        find: reader.find,
        bounds: reader.bounds,
        vocabulary: reader.vocabulary,
        waitForMore: tail.waitForMore,
        append: log.append,
        check: log.check,
      },
      search,
      delivery,
      kinds: destinationKinds,
      teams,
      keyring,
      secretBox,
      openOutbound,
      clock,
      logger,
      metrics,
    };

    const operator = await buildServer({ ...parts, principal: 'operator' });
    const socket = serve ? operatorSocket(config.dataDir) : commandSocket(config.dataDir);
    await rm(socket, { force: true });
    await operator.listen({ path: socket });
    await chmod(socket, 0o600);
    stopping.push(() => operator.close());

    let url: string | null = null;
    if (serve) {
      const server = await buildServer({ ...parts, principal: 'keys' });
      url = await server.listen({ host: config.host, port: config.port });
      stopping.push(() => server.close());
    }
    return { url, stop, died: death };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StartedWorker {
  readonly port: Worker;
  service<T extends object>(name: string): T;
  stop(): Promise<void>;
}

/** Starts a worker beside this file (source or bundle) and waits until it is ready. */
async function spawn<Data>(name: string, died: (reason: Error) => void, workerData: Data): Promise<StartedWorker> {
  const worker = new Worker(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url), { workerData, name });
  const connection = connect(worker);
  let stopped = false;
  const ready = new Promise<void>((resolve, reject) => {
    onNote(worker, 'ready', () => resolve());
    worker.on('error', (error) => {
      reject(error);
      died(new Error(`the ${name} failed`, { cause: error }));
    });
    worker.on('exit', (code) => {
      const reason = new Error(`the ${name} ended with code ${code}`);
      connection.fail(reason);
      reject(reason);
      if (!stopped) died(reason);
    });
  });
  await ready;
  return {
    port: worker,
    service: connection.service,
    stop: async () => {
      stopped = true;
      await connection.service<{ stop(): Promise<void> }>('worker').stop();
      await worker.terminate();
    },
  };
}
