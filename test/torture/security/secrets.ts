import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { eventually, producerEvent } from '../../rig/events.ts';
import { startMailServer } from '../../rig/mail-server.ts';
import { temporaryFolder } from '../../rig/service.ts';
import { totp } from '../../rig/totp.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';
import { type Canaries, createCanaries } from './canaries.ts';
import { type EchoSiem, startEchoSiem } from './echo-siem.ts';
import { KINDS, type Kind, SECRET_OF, settingsOf } from './kinds.ts';
import { type WatchedService, watchService } from './watched-service.ts';

const GENEROUS_MS = 60_000;
const MAIN = join(import.meta.dirname, '../../../src/main.ts');

/**
 * Every secret there is, each unlike any other text, is entered, used, refused and said back by whoever received it; then
 * everything the service ever said or wrote is searched for any part of it.
 */
export const secrets: Scenario = {
  name: 'security/secrets',
  inShort: true,
  withinSeconds: 180,
  async run(context) {
    const canaries = createCanaries(context.random);
    const folder = await temporaryFolder();
    const siem = await startEchoSiem(canaries.make('access token'));
    const mail = await startMailServer({
      authOptional: false,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(null, { user: 'trailproof' }),
      onRcptTo: (_address, _session, done) => done(new Error(`550 no such user; you are ${smtpPassword}`)),
    });
    const smtpPassword = canaries.make('SMTP password');
    const master = randomBytes(32);
    canaries.add('master key', master.toString('base64'));
    canaries.add('master key in hex', master.toString('hex'));
    const metricsToken = canaries.make('metrics token');
    const env = {
      ...{ LOG_LEVEL: 'trace', DESTINATION_NETWORK: 'any', ALLOW_HTTP_DESTINATIONS: 'true' },
      ...{ MASTER_KEY: master.toString('base64'), METRICS_TOKEN: metricsToken, RATE_LIMIT_PER_MINUTE: '1000000' },
      SMTP_URL: `smtp://trailproof:${smtpPassword}@127.0.0.1:${mail.port}`,
    };
    let service: WatchedService | undefined;
    try {
      service = await watchService(folder.path, env);
      const told = new Told(service.url, canaries);
      const made = await makeEverything(service, told, canaries, siem, context);
      await lookAtEverything(told, made, metricsToken);
      const commands = await runCommands(folder.path, env, canaries, context.size);
      const process = await Promise.all(
        ['cmdline', 'comm', 'status'].map((name) => readFile(`/proc/${service!.pid}/${name}`, 'latin1')),
      );
      const files = await filesOf(folder.path);
      for (const hash of made.hashed)
        assert.ok(
          files.some(({ bytes }) => bytes.includes(hash)),
          'what is kept of a key is its hash',
        );
      await service.end('SIGABRT');
      const found = [
        ...told.found,
        ...commands,
        ...canaries.findIn('the process list', process.join('\n')),
        // The set-up link is said once, for the operator: it is how the first person gets in.
        ...canaries.findIn('the log', service.output(), ['set-up link']),
        ...[...files, ...(await filesOf(folder.path))].flatMap(({ name, bytes }) => canaries.findIn(name, bytes)),
      ];
      assert.deepEqual([...new Set(found)], []);
      context.say(
        `${canaries.count} secrets; ${siem.answers()} answers that said them back, ${told.answers} of ours, ${files.length} files`,
      );
      return {
        events: made.events,
        faults: siem.answers(),
        lost: 0,
        duplicated: 0,
        deadLettered: 0,
        countersExact: null,
      };
    } finally {
      await service?.end('SIGKILL');
      await Promise.all([siem.close(), mail.close()]);
      await folder.remove();
    }
  },
};

/** Calls, and what their answers gave away. */
class Told {
  readonly found: string[] = [];
  answers = 0;
  readonly #url: string;
  readonly #canaries: Canaries;
  constructor(url: string, canaries: Canaries) {
    this.#url = url;
    this.#canaries = canaries;
  }

  /** `shows`: the secret that this answer makes, and is there to show. */
  async call(
    method: string,
    path: string,
    { body, cookie, key, accept = 'application/json', shows = [] }: CallOptions = {},
  ) {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...{ accept },
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(cookie !== undefined && { cookie, origin: this.#url }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    this.answers += 1;
    const cookies = answer.headers.getSetCookie();
    const heads = [...answer.headers].filter(([name]) => name !== 'set-cookie');
    this.found.push(...this.#canaries.findIn(`${method} ${path}`, `${JSON.stringify(heads)}\n${text}`, shows));
    assert.ok(answer.status < 500, `${method} ${path}: ${text}`);
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') && text !== '';
    return { status: answer.status, text, cookies, json: (isJson ? JSON.parse(text) : {}) as Record<string, unknown> };
  }
}

interface CallOptions {
  readonly body?: unknown;
  readonly cookie?: string;
  readonly key?: string;
  readonly accept?: string;
  readonly shows?: readonly string[];
}

interface Made {
  readonly cookie: string;
  readonly key: string;
  readonly destinations: readonly string[];
  readonly events: number;
  /** Hashes that must be found, as a proof that the search looks at the right files. */
  readonly hashed: readonly string[];
}

async function makeEverything(
  service: WatchedService,
  told: Told,
  canaries: Canaries,
  siem: EchoSiem,
  { size }: ScenarioContext,
): Promise<Made> {
  const setUp = service.setupUrl!.split('#')[1]!;
  canaries.add('set-up link', setUp);
  const password = `correct ${canaries.make('password')} staple`;
  const user = { email: 'owner@acme.example', name: 'Owner', password };
  const entered = await told.call('POST', '/v1/setup', { body: { token: setUp, team: { name: 'Acme' }, user } });
  assert.equal(entered.status, 201, entered.text);
  const cookie = entered.cookies.map((one) => one.split(';', 1)[0]!).join('; ');
  // The whole of it: the token within is of no use without the signature behind it.
  canaries.add('signature of the session cookie', decodeURIComponent(cookie).split('.').at(-1)!);

  const key = (await told.call('POST', '/v1/api-keys', { cookie, body: { name: 'k', scopes: SCOPES } })).json['key'];
  assert.ok(typeof key === 'string');
  canaries.add('API key', key.slice(3));
  const invited = (
    await told.call('POST', '/v1/invitations', { cookie, body: { email: 'guest@acme.example', role: 'admin' } })
  ).json;
  const link = String(invited['link']).split('#')[1]!;
  canaries.add('invitation link', link);
  await told.call('POST', '/v1/invitations/lookup', { body: { token: link } });
  await told.call('POST', '/v1/invitations', { cookie, body: { email: 'other@acme.example', role: 'member' } });
  await told.call('PATCH', '/v1/team', { cookie, body: { alerts: { webhookUrl: `${siem.url}/hook` } } });
  const webhook = (await told.call('POST', '/v1/team/webhook-secret', { cookie })).json['secret'];
  canaries.add('webhook secret', String(webhook).slice(6));
  await told.call('POST', '/v1/team/alert-test', { cookie, body: { channel: 'webhook' } });
  await told.call('POST', '/v1/team/alert-test', { cookie, body: { channel: 'mail' } });

  await secondFactor(told, canaries, cookie, password);
  await told.call('POST', '/v1/password/ask-reset', { body: { email: user.email } });
  const wrong = canaries.make('wrong password');
  await told.call('POST', '/api/auth/sign-in/email', { cookie: 'x=y', body: { email: user.email, password: wrong } });
  await told.call('POST', '/api/auth/change-password', {
    cookie,
    body: { currentPassword: wrong, newPassword: 'short' },
  });

  const destinations: string[] = [];
  const pems = await generate([{ name: 'commonName', value: 'client' }], { keySize: 2048 });
  canaries.add('client key', pems.private.split('\n')[9]!);
  for (const kind of KINDS) {
    const secret = odd(kind, canaries.make(`${kind} credential`));
    const settings = {
      ...settingsOf(kind, siem.url, secret),
      ...(kind === 'qradar' && { clientCertificate: pems.cert, clientKey: pems.private }),
    };
    // Wrong elsewhere: what is refused must not be said back either.
    await told.call('POST', '/v1/destinations', {
      key,
      body: { kind, name: kind, settings: { ...settings, nonsense: secret } },
    });
    await told.call('POST', '/v1/destinations', {
      key,
      body: { kind, name: kind, settings: { ...settings, [SECRET_OF[kind]]: `${secret}\u0000\n${secret}` } },
    });
    for (let i = 0; i < (size === 'full' ? 16 : 3); i++)
      await told.call('POST', '/v1/destinations/test', {
        key,
        body: { kind, settings },
        ...(i % 2 === 0 && { accept: 'text/event-stream' }),
      });
    const made = await told.call('POST', '/v1/destinations', { key, body: { kind, name: kind, settings } });
    assert.equal(made.status, 201, made.text);
    destinations.push(String(made.json['id']));
    const another = canaries.make(`${kind} credential, changed`);
    await told.call('PATCH', `/v1/destinations/${destinations.at(-1)}`, {
      key,
      body: { name: 'renamed', settings: { [SECRET_OF[kind]]: another } },
    });
  }
  const events = size === 'full' ? 200 : 20;
  await told.call('POST', '/v1/events', { key, body: Array.from({ length: events }, (_, n) => producerEvent(n)) });
  for (const id of destinations)
    await eventually(async () => {
      const { json } = await told.call('GET', `/v1/destinations/${id}/attempts`, { key });
      const items = json['items'];
      const { text } = await told.call('GET', `/v1/destinations/${id}/health`, { key });
      assert.ok(Array.isArray(items) && items.length >= 1, `no attempt yet: ${text}`);
    }, GENEROUS_MS);
  return {
    cookie,
    key,
    destinations,
    events,
    hashed: [key].map((text) => createHash('sha256').update(text).digest('hex')),
  };
}

/** With characters around it that JSON, URLs, forms and pages write differently, as far as the kind takes them. */
function odd(kind: Kind, core: string): string {
  if (kind === 'elastic') return `id:${core}+/`;
  return `K"/+\\~${kind === 'datadog' ? '' : ' '}${core}=&`;
}

async function secondFactor(told: Told, canaries: Canaries, cookie: string, password: string): Promise<void> {
  const { json, status, text } = await told.call('POST', '/api/auth/two-factor/enable', { cookie, body: { password } });
  assert.equal(status, 200, text);
  const uri = String(json['totpURI']);
  canaries.add('TOTP secret', new URL(uri).searchParams.get('secret')!);
  const codes = json['backupCodes'];
  assert.ok(Array.isArray(codes));
  for (const [i, code] of codes.entries()) canaries.add(`backup code ${i}`, String(code));
  await told.call('POST', '/api/auth/two-factor/verify-totp', { cookie, body: { code: totp(uri) } });
}

const SCOPES = ['events:write', 'events:read', 'destinations:read', 'destinations:write', 'team:admin'];

async function lookAtEverything(told: Told, { cookie, key, destinations }: Made, metricsToken: string): Promise<void> {
  for (const id of destinations)
    for (const what of ['', '/health', '/attempts?limit=1000', '/dead-letters', '/replays', '/timeline'])
      await told.call('GET', `/v1/destinations/${id}${what}`, { key });
  for (const id of destinations) await told.call('POST', `/v1/destinations/${id}/test`, { key });
  for (const path of [
    '/v1/events?limit=1000',
    '/v1/events/export?format=ndjson',
    '/v1/events/export?format=csv',
    '/v1/destinations',
    '/v1/api-keys',
    '/openapi.json',
    '/healthz',
    '/readyz',
  ])
    await told.call('GET', path, { key });
  for (const path of [
    '/v1/session',
    '/v1/members',
    '/v1/invitations',
    '/v1/team',
    '/v1/team/deletion',
    '/api/auth/list-sessions',
    '/v1/destination-kinds',
  ])
    await told.call('GET', path, { cookie });
  await told.call('GET', '/metrics', { key: metricsToken });
  await told.call('GET', '/v1/events', { key: `${key}x` });
  await told.call('POST', '/v1/events', { key, body: '{"id":' });
  for (const id of destinations) await told.call('DELETE', `/v1/destinations/${id}`, { key });
  await told.call('GET', '/v1/events/export?format=ndjson', { key });
}

/** What commands print, well and badly configured. */
async function runCommands(
  folder: string,
  env: Record<string, string>,
  canaries: Canaries,
  size: string,
): Promise<string[]> {
  const run = async (
    name: string,
    args: readonly string[],
    more: Record<string, string> = {},
  ): Promise<readonly string[]> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { PATH: process.env['PATH'], DATA_DIR: folder, ...env, ...more } },
      (error, out, err) => resolve(`${error?.code ?? 0}\n${out}\n${err}`),
    );
    return canaries.findIn(`what “${name}” prints`, await promise);
  };
  const bad = canaries.make('mistyped');
  const mistyped = {
    MASTER_KEY: `${bad}!`,
    SMTP_URL: `smtp//u:${bad}@h`,
    METRICS_TOKEN: `${bad} x`,
    DATABASE_URL: `postgres://u:${bad}@h/d`,
  };
  const all = [
    ...(size === 'full'
      ? [
          run('doctor', ['doctor']),
          run('serve, mistyped', ['serve'], mistyped),
          run('destinations list', ['destinations', 'list', '--team', 'acme', '--json']),
          run('keys list', ['keys', 'list']),
          run('users list', ['users', 'list', '--team', 'acme']),
          run('events export', ['events', 'export', '--team', 'acme', '--format', 'ndjson']),
          run('doctor, mistyped', ['doctor', '--json'], mistyped),
          run('doctor, another key', ['doctor'], { MASTER_KEY: randomBytes(32).toString('base64') }),
        ]
      : []),
  ];
  return (await Promise.all(all)).flat();
}

async function filesOf(folder: string): Promise<readonly { readonly name: string; readonly bytes: Buffer }[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    names
      .filter((entry) => entry.isFile())
      .map(async (entry) => ({ name: entry.name, bytes: await readFile(join(entry.parentPath, entry.name)) })),
  );
}
