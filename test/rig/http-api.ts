import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAlerting } from '../../src/alerting/alert.ts';
import { createKeyring, type Keyring } from '../../src/auth/api-keys.ts';
import { createAccounts } from '../../src/auth/better-auth.ts';
import { createPeople } from '../../src/auth/create-people.ts';
import type { People } from '../../src/auth/people.ts';
import { readConfig } from '../../src/config/config.ts';
import type { Role } from '../../src/contract/roles.ts';
import type { Scope } from '../../src/contract/scopes.ts';
import { createDelivery } from '../../src/delivery/deliver.ts';
import { destinationOpener } from '../../src/delivery/open-destination.ts';
import { destinationKinds } from '../../src/destinations/registry.ts';
import { buildServer } from '../../src/http/server.ts';
import type { App, ServerParts } from '../../src/http/server-parts.ts';
import { createAccept } from '../../src/ingest/accept.ts';
import { createMailer } from '../../src/outbound/mail.ts';
import { createOpenOutbound } from '../../src/outbound/open-outbound.ts';
import { openSearch } from '../../src/search/index.ts';
import { SecretBox } from '../../src/secrets.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/store.ts';
import { DEFAULT_ALERTS } from '../../src/store/teams.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { TestClock } from './test-clock.ts';

/** The HTTP API in this process, over a real store in a folder of its own. Nothing is delivered by itself. */
export interface HttpApi {
  readonly app: App;
  readonly url: string;
  readonly store: SqliteStore;
  readonly keyring: Keyring;
  readonly people: People;
  readonly clock: TestClock;
  /** Everything logged, as text. */
  readonly logged: string[];
  /** Makes a key; `team` null: of the installation. A team that is missing is created. */
  key(team: string | null, ...scopes: Scope[]): Promise<string>;
  /** Makes a person by an invitation to the team, which is created when missing, and signs them in. */
  person(team: string, role: Role, email?: string): Promise<Person>;
  call(method: string, path: string, options?: CallOptions): Promise<Called>;
  /** The same as the operator, over the same store. */
  operator(method: Method, path: string, body?: object): Promise<Omit<Called, 'headers'>>;
  /** Another server over the same parts, not listening yet. */
  serve(): Promise<App>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly key?: string;
  /** A session: as a browser sends it. */
  readonly cookie?: string;
  /** Sent as it is when a string or bytes, else as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Person {
  readonly id: string;
  readonly email: string;
  /** What a browser sends back. */
  readonly cookie: string;
}

/** Of every person the rig makes. */
export const PASSWORD = 'four unrelated words walk home';

interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it is what it tests
  readonly json: any;
}

export async function startHttpApi(
  env: Record<string, string> = {},
  change: (parts: ServerParts) => Partial<ServerParts> = () => ({}),
): Promise<HttpApi> {
  let url = '';
  const folder = await mkdtemp(join(tmpdir(), 'trailproof-http-'));
  const clock = new TestClock();
  const logged: string[] = [];
  const logger = loggerInto(logged);
  const read = readConfig({ DATA_DIR: folder, DESTINATION_NETWORK: 'any', ALLOW_HTTP_DESTINATIONS: 'true', ...env });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const { config } = read;
  const store = openSqliteStore({ folder, clock, defaultRetentionDays: config.retentionDays, patienceMs: 0 });
  const secretBox = new SecretBox(randomBytes(32));
  const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
  const kinds = destinationKinds;
  const openDestination = destinationOpener({ kinds, openOutbound, secretBox, clock, brand: config.brandName });
  const delivery = createDelivery({
    log: store.log,
    store: store.destinations,
    openDestination,
    clock,
    random: () => 0.5,
    logger,
  });
  const log: ServerParts['log'] = {
    append: (events) => store.log.append(events),
    read: (team, after, limit) => store.log.read(team, after, limit),
    find: (team, id) => store.log.find(team, id),
    bounds: (team) => store.log.bounds(team),
    vocabulary: (team) => store.log.vocabulary(team),
    waitForMore: (team, after, signal) => store.log.waitForMore(team, after, signal),
    check: () => store.log.check(),
  };
  const teamsWithEvents = async () =>
    Promise.all(
      (await store.teams.list()).map(async ({ id: team }) => ({ team, last: (await store.log.bounds(team)).last })),
    );
  const search = openSearch({
    folder,
    log: { read: log.read, bounds: log.bounds, teams: teamsWithEvents },
    clock,
  });
  const keyring = createKeyring({ store: store.keys, append: (events) => store.log.append(events), clock });
  const mailer = createMailer({ smtpUrl: config.smtpUrl, from: config.smtpFrom });
  const baseUrl = () => url;
  const accounts = await createAccounts({
    ...{ folder, baseUrl, clock, logger },
    secureCookies: false,
    rolesOf: (user) => people.concernedBy(user),
    append: (events) => store.log.append(events),
    secret: randomBytes(32).toString('base64url'),
  });
  const people: People = createPeople({ store: store.people, accounts, teams: store.teams, clock });
  const alerting = createAlerting({
    ...{ delivery, teams: store.teams, alerts: store.alerts, mailer, openOutbound, secretBox, kinds, baseUrl },
    ...{ clock, logger },
    recipientsOf: async (team) => (await people.administratorsOf(team)).map(({ email }) => email),
  });
  const metrics = createMetrics({ totals: () => delivery.totals(), indexLag: () => search.lag() });
  const base: ServerParts = {
    ...{ config, log, search, delivery, kinds, teams: store.teams, keyring, secretBox },
    ...{ accounts, people, savedFilters: store.people, alerting, mailer, baseUrl, version: '0.0.0' },
    ...{ accept: createAccept({ log: store.log, clock }), openOutbound, clock, logger, metrics, principal: 'keys' },
    ...{ consoleFolder: null, sandbox: null },
  };
  const serve = () => buildServer({ ...base, ...change(base) });
  const app = await serve();
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

  let operatorsServer: Promise<App> | undefined;
  const ensureTeam = async (id: string): Promise<void> => {
    if (await store.teams.get(id)) return;
    const team = { id, name: id, retentionDays: 365, createdAt: clock.now(), alerts: DEFAULT_ALERTS };
    await store.teams.create(team, []);
  };

  return {
    ...{ app, url, store, keyring, people, clock, logged, serve },
    person: async (team, role, email = `${role}@${team}.example`) => {
      await ensureTeam(team);
      const invited = await people.invite(team, email, role, { kind: 'operator' }, {});
      if (typeof invited === 'string') throw new Error(invited);
      const account = await accounts.byEmail(email);
      const joined = await people.accept(invited.token, account ?? { name: role, password: PASSWORD }, {});
      if (typeof joined === 'string' || 'field' in joined) throw new Error(JSON.stringify(joined));
      const { id } = joined.account;
      return { id, email, cookie: cookieOf(await accounts.begin(id, 'invitation', {})) };
    },
    operator: async (method, path, body) => {
      operatorsServer ??= buildServer({ ...base, ...change(base), principal: 'operator' });
      const answer = await (await operatorsServer).inject({
        method,
        url: path,
        ...(body !== undefined && { payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const isJson = /\/(problem\+)?json/.test(String(answer.headers['content-type'])) && answer.body !== '';
      return { status: answer.statusCode, text: answer.body, json: isJson ? answer.json() : undefined };
    },
    key: async (team, ...scopes) => {
      if (team !== null) await ensureTeam(team);
      const by = { actor: { id: 'test', type: 'system' } } as const;
      return (await keyring.create({ name: 'test key', team, scopes, expiresAt: null }, by)).secret.reveal();
    },
    call: (method, path, options) => call(`${url}${path}`, method, options),
    close: async () => {
      await app.close();
      await (await operatorsServer)?.close();
      await alerting.stop();
      await accounts.close();
      await mailer.close();
      await keyring.close();
      await delivery.stop(AbortSignal.abort());
      await search.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a browser sends back of `set-cookie` headers. */
export function cookieOf(setCookies: readonly string[]): string {
  return setCookies.map((cookie) => cookie.split(';', 1)[0]).join('; ');
}

async function call(url: string, method: string, { key, cookie, body, headers }: CallOptions = {}): Promise<Called> {
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const answer = await fetch(url, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(cookie !== undefined && { cookie }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : ((isRaw ? body : JSON.stringify(body)) as string),
  });
  const text = await answer.text();
  const isJson = /json(;|$)/.test(answer.headers.get('content-type') ?? '') && text !== '';
  const json: unknown =
    isJson && !answer.headers.get('content-type')?.includes('ndjson') ? JSON.parse(text) : undefined;
  return { status: answer.status, headers: answer.headers, text, json };
}

function loggerInto(lines: string[]): Logger {
  const write = (fields: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(fields, (_, v) => (v instanceof Error ? `${v.stack}` : v))}`);
  };
  return { debug: write, info: write, warn: write, error: write, child: () => loggerInto(lines) };
}
