import { chmod, mkdir, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import manifest from '../package.json' with { type: 'json' };
import { createAlerting } from './alerting/alert.ts';
import { resealWebhooks } from './alerting/webhook.ts';
import { createKeyring } from './auth/api-keys.ts';
import { createAccounts } from './auth/better-auth.ts';
import { createPeople } from './auth/create-people.ts';
import type { People } from './auth/people.ts';
import { commandSocket, operatorSocket } from './cli/operator-socket.ts';
import { systemClock } from './clock.ts';
import { loadAccountsSecret } from './config/accounts-secret.ts';
import type { Config } from './config/config.ts';
import { forgetPreviousKeys, loadMasterKey } from './config/master-key.ts';
import type { Delivery } from './delivery/delivery.ts';
import { resealAll } from './delivery/open-destination.ts';
import type { StandIn } from './destinations/destination.ts';
import { destinationKinds } from './destinations/registry.ts';
import { buildServer } from './http/server.ts';
import type { IndexWorkerData } from './index-worker.ts';
import { createAccept } from './ingest/accept.ts';
import type { LogWorkerData } from './log-worker.ts';
import { createMailer } from './outbound/mail.ts';
import { createOpenOutbound } from './outbound/open-outbound.ts';
import type { Search } from './search/search.ts';
import { SecretBox } from './secrets.ts';
import type { AlertStore } from './store/alerts.ts';
import type { ApiKeyStore } from './store/api-keys.ts';
import { type AppendPort, connectAppend } from './store/append-port.ts';
import type { EventLog } from './store/event-log.ts';
import type { PeopleStore } from './store/people.ts';
import { announceRestore } from './store/restored.ts';
import { lockFolder } from './store/sqlite/folder-lock.ts';
import type { AppendListener, Growth } from './store/store.ts';
import { createTailSignal } from './store/tail-signal.ts';
import type { TeamStore } from './store/teams.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { connect, note, onNote } from './worker-port.ts';

export interface Running {
  /** Where the HTTP API answers; null when started for administration only. */
  readonly url: string | null;
  /** Opens the first account, once, until the process ends; null when somebody has one. */
  readonly setupUrl: string | null;
  /** Refuses new requests, finishes those in progress, lets deliveries in flight settle, closes the store. */
  stop(): Promise<void>;
  /** Resolves with the reason when a part of the service died; never otherwise. */
  readonly died: Promise<Error>;
}

export interface StartOptions {
  /** False: only the store and the operator's socket, for administrative commands on a stopped service. */
  readonly serve: boolean;
  /** Stand-ins that the console shows, by kind (demo). */
  readonly sandbox?: ReadonlyMap<string, StandIn>;
}

/** Builds the whole service, top to bottom, and starts it. */
export async function start(config: Config, logger: Logger, { serve, sandbox }: StartOptions): Promise<Running> {
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
    const accountsSecret = loadAccountsSecret(config.dataDir, secretBox);
    const openOutbound = createOpenOutbound({
      network: config.destinationNetwork,
      allowHttp: config.allowHttpDestinations,
      proxies: { https: config.httpsProxy, http: config.httpProxy, except: config.noProxy },
    });
    let died: (reason: Error) => void = () => {};
    const death = new Promise<Error>((resolve) => {
      died = resolve;
    });

    // Both load at the same time; the index worker opens the database once the log worker has made it what it should be.
    const indexWorker = spawn<IndexWorkerData>('index-worker', died, {
      folder: config.dataDir,
      logLevel: config.logLevel,
    });
    const logWorker = spawn<LogWorkerData>('log-worker', died, {
      folder: config.dataDir,
      masterKey: master.key,
      previousKeys: master.previous,
      network: config.destinationNetwork,
      allowHttp: config.allowHttpDestinations,
      proxies: {
        https: config.httpsProxy?.reveal() ?? null,
        http: config.httpProxy?.reveal() ?? null,
        except: config.noProxy,
      },
      brand: config.brandName,
      retentionDays: config.retentionDays,
      logLevel: config.logLevel,
      deliver: serve,
    });
    stopping.push(logWorker.stop, indexWorker.stop);
    await logWorker.ready;
    note(indexWorker.port, 'open', null);
    await indexWorker.ready;
    const { bounds, check } = logWorker.service<EventLog>('log');
    const append = connectAppend(logWorker.service<AppendPort>('append'));
    const teams = logWorker.service<TeamStore>('teams');
    const keys = logWorker.service<ApiKeyStore>('keys');
    const peopleStore = logWorker.service<PeopleStore>('people');
    const alerts = logWorker.service<AlertStore>('alerts');
    const delivery = logWorker.service<Delivery>('delivery');

    if (master.previous.length > 0) {
      logger.info(
        { destinations: await resealAll(delivery, secretBox), webhooks: await resealWebhooks(teams, secretBox) },
        'sealed credentials under the new master key',
      );
      forgetPreviousKeys(config.dataDir);
    }

    const reader = indexWorker.service<Pick<EventLog, 'read' | 'find' | 'bounds' | 'vocabulary'>>('log');
    const search = indexWorker.service<Search>('search');

    await announceRestore(config.dataDir, { log: { append, bounds }, teams, now: clock.now(), logger });

    const tail = createTailSignal();
    const tellIndex = gathered(INDEX_TOLD_EVERY_MS, (grown) => note(indexWorker.port, 'appended', grown));
    onNote<readonly Growth[]>(logWorker.port, 'appended', (grown) => {
      for (const { team, last } of grown) tail.note(team, last);
      tellIndex(grown);
    });

    let url: string | null = null;
    const baseUrl = (): string => config.publicUrl ?? url ?? `http://${config.host}:${config.port}`;

    const mailer = createMailer({ smtpUrl: config.smtpUrl, from: config.smtpFrom });
    stopping.push(() => mailer.close());
    const accounts = await createAccounts({
      folder: config.dataDir,
      baseUrl,
      secureCookies: config.publicUrl?.startsWith('https:') ?? false,
      rolesOf: (user) => people.concernedBy(user),
      append,
      clock,
      logger,
      secret: accountsSecret.reveal(),
    });
    stopping.push(() => accounts.close());
    const people: People = createPeople({ store: peopleStore, accounts, teams, clock });

    const alerting = createAlerting({
      // Whoever administers a stopped service is told what is wrong with its destinations by asking for it.
      delivery: serve ? delivery : { list: async () => [], get: delivery.get, health: delivery.health },
      teams,
      alerts,
      recipientsOf: async (team) => (await people.administratorsOf(team)).map(({ email }) => email),
      mailer,
      openOutbound,
      secretBox,
      kinds: destinationKinds,
      baseUrl,
      clock,
      logger,
    });
    stopping.push(() => alerting.stop());
    onNote<{ destination: string }>(logWorker.port, 'state', ({ destination }) => alerting.noticed(destination));

    const metrics = createMetrics({ totals: () => delivery.totals(), indexLag: () => search.lag() });
    const isTeamKnown = async (team: string): Promise<boolean> => (await teams.get(team)) !== undefined;
    const accept = createAccept({ log: { append }, clock, ...(config.autoCreateTeams ? {} : { isTeamKnown }) });
    const keyring = createKeyring({ store: keys, append, clock });
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
        append,
        check,
      },
      search,
      delivery,
      kinds: destinationKinds,
      teams,
      keyring,
      accounts,
      people,
      savedFilters: peopleStore,
      alerting,
      mailer,
      secretBox,
      openOutbound,
      clock,
      logger,
      metrics,
      version: manifest.version,
      baseUrl,
      sandbox: sandbox ?? null,
    };

    const operator = await buildServer({ ...parts, principal: 'operator', consoleFolder: null });
    const socket = serve ? operatorSocket(config.dataDir) : commandSocket(config.dataDir);
    await rm(socket, { force: true });
    await operator.listen({ path: socket });
    await chmod(socket, 0o600);
    stopping.push(() => operator.close());

    let setupUrl: string | null = null;
    if (serve) {
      const server = await buildServer({ ...parts, principal: 'keys', consoleFolder: CONSOLE });
      url = await server.listen({ host: config.host, port: config.port });
      stopping.push(() => server.close());
      if (await accounts.isEmpty()) {
        setupUrl = `${baseUrl()}/setup#${people.links.issue({ kind: 'setup' }, Number.POSITIVE_INFINITY)}`;
        logger.info(
          { url: setupUrl },
          'set-up link: nobody can sign in yet; it makes the first team and its Owner, once',
        );
      }
    }
    return { url, setupUrl, stop, died: death };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The index grows by thousands of a team's events: to wake its thread for each commit would cost more than it does. */
const INDEX_TOLD_EVERY_MS = 100;
/** The built console: beside the bundle, or from source in the folder the bundle goes to. */
const CONSOLE = fileURLToPath(new URL(extname(import.meta.url) === '.ts' ? '../dist/web' : './web', import.meta.url));

interface StartedWorker {
  readonly port: Worker;
  readonly ready: Promise<void>;
  service<T extends object>(name: string): T;
  stop(): Promise<void>;
}

/** Passes on which teams grew: what comes within `ms` together, and of each team only where it ends now. */
function gathered(ms: number, pass: AppendListener): AppendListener {
  const waiting = new Map<string, Growth>();
  const passAll = (): void => {
    pass([...waiting.values()]);
    waiting.clear();
  };
  return (grown) => {
    if (waiting.size === 0 && grown.length > 0) setTimeout(passAll, ms).unref();
    for (const one of grown) waiting.set(one.team, one);
  };
}

/** Starts a worker beside this file (source or bundle). */
function spawn<Data>(name: string, died: (reason: Error) => void, workerData: Data): StartedWorker {
  const worker = new Worker(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url), { workerData, name });
  const connection = connect(worker);
  let isReady = false;
  let stopped = false;
  const ready = new Promise<void>((resolve, reject) => {
    onNote(worker, 'ready', () => {
      isReady = true;
      resolve();
    });
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
  // Whoever waits for it hears of it; the other worker may have failed before.
  ready.catch(() => {});
  return {
    port: worker,
    ready,
    service: connection.service,
    stop: async () => {
      stopped = true;
      if (isReady) await connection.service<{ stop(): Promise<void> }>('worker').stop();
      await worker.terminate();
    },
  };
}
