import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { SCOPES } from '../../../src/contract/scopes.ts';
import { type HttpApi, PASSWORD, startHttpApi } from '../../rig/http-api.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { ask } from './http.ts';
import { KINDS, settingsOf } from './kinds.ts';

/** More than any answer here takes; measured as CPU time, which other programs on the machine do not lengthen. */
const MOST_CPU_MS = 1_000;
const OUTSIDE = 'this file is outside';

/** Requests that want a file, a prototype or a processor for themselves. */
export const hostileRequests: Scenario = {
  name: 'security/hostile-requests',
  inShort: true,
  withinSeconds: 120,
  async run({ size, random, say }) {
    const folder = await temporaryFolder();
    const consoleFolder = join(folder.path, 'web');
    await mkdir(join(consoleFolder, 'assets'), { recursive: true });
    await writeFile(join(consoleFolder, 'index.html'), '<!doctype html><title>page</title>');
    await writeFile(join(consoleFolder, 'icon.svg'), '<svg/>');
    await writeFile(join(consoleFolder, 'assets', 'app.js'), 'app');
    await writeFile(join(folder.path, 'master.key'), OUTSIDE);
    const api = await startHttpApi({}, () => ({ consoleFolder }));
    try {
      const paths = await askForFiles(api, folder.path, size === 'full' ? 2_000 : 150, random);
      const polluted = await pollute(api);
      const { asked, slowest } = await exhaust(api, size === 'full' ? 2_000 : 60, random);
      say(
        `${paths} paths, ${polluted} prototypes, ${asked} long texts; the slowest took ${Math.round(slowest)} ms of CPU`,
      );
      return {
        events: 0,
        faults: paths + polluted + asked,
        lost: 0,
        duplicated: 0,
        deadLettered: 0,
        countersExact: null,
      };
    } finally {
      await api.close();
      await folder.remove();
    }
  },
};

/** As they are, which `fetch` would clean: a socket and a request line. */
async function askForFiles({ url, key }: HttpApi, folder: string, most: number, random: Random): Promise<number> {
  // Strangers may not ask that often.
  const bearer = await key('acme', 'events:read');
  const dots = [
    '..',
    '%2e%2e',
    '%2E.',
    '.%2e',
    '..%00',
    '%252e%252e',
    '..;',
    '%c0%ae%c0%ae',
    '%uff0e%uff0e',
    '．．',
    '....',
    '.%00.',
  ];
  const slashes = ['/', '%2f', '%2F', '%5c', '\\', '%252f', '//', '/./', '%c0%af', '%ef%bc%8f'];
  const before = ['/', '/assets/', '/assets/app.js/', '/assets', '/icon.svg/', '/v1/', '/%61ssets/'];
  const paths = before.flatMap((start) =>
    dots.flatMap((dot) =>
      slashes.map((slash) => `${start}${dot}${slash}${start === '/' ? '' : dot + slash}master.key`),
    ),
  );
  paths.push(
    ...[
      `${folder}/master.key`,
      `/assets/${encodeURIComponent(`${folder}/master.key`)}`,
      `/assets/%00${folder}/master.key`,
    ],
    ...[
      '/assets/../../master.key%00.js',
      '/assets/app.js%00',
      '/assets/%00',
      '/assets/.',
      '/assets/..',
      '/assets/',
      '/assets/%2e',
    ],
    ...[
      '/assets/..%2f..%2fmaster.key?x=.js',
      '/assets/app.js%2f..%2f..%2f..%2fmaster.key',
      '/assets/%',
      '/assets/%zz',
      '/%',
      '/assets/CON',
    ],
    ...[
      '/index.html.gz',
      '/.env',
      '/.git/config',
      '/master.key',
      '/trailproof.db',
      '/assets/.gitignore',
      '/web/index.html',
    ],
    ...[
      `http://127.0.0.1/${folder}/master.key`,
      'file:///etc/passwd',
      `//${folder}/master.key`,
      '*',
      '/assets/app.js#/../../../master.key',
    ],
  );
  const { hostname, port } = new URL(url);
  const chosen = random.shuffled(paths).slice(0, most);
  for (const path of chosen)
    for (const accept of ['*/*', 'text/html']) {
      const socket = connect(Number(port), hostname);
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: ${accept}\r\nAuthorization: Bearer ${bearer}\r\nConnection: close\r\n\r\n`,
      );
      const answer = await textOf(socket);
      const status = Number(answer.split(' ', 2)[1]);
      assert.ok(!answer.includes(OUTSIDE) && !answer.includes('root:'), `${path} gives a file away`);
      assert.ok(status >= 200 && status < 500 && status !== 429, `${path}: ${answer.slice(0, 300)}`);
      if (accept === '*/*' && status === 200) assert.match(answer, /(app|<svg\/>)$|<title>page/, `${path}: ${answer}`);
    }
  return 2 * chosen.length;
}

/** JSON and queries whose keys name what objects inherit. */
async function pollute(api: HttpApi): Promise<number> {
  const key = await api.key('acme', ...SCOPES);
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'set'];
  const evil = (name: string): string => `{"${name}":{"polluted":"yes","prototype":{"polluted":"yes"},"set":true}}`;
  const settings = JSON.stringify(settingsOf('splunk', 'http://127.0.0.1:9')).slice(0, -1);
  let tried = 0;
  for (const name of keys) {
    const bodies: readonly (readonly [method: string, path: string, body?: string])[] = [
      [
        'POST',
        '/v1/events',
        `[{"eventType":"user.created","metadata":${evil(name)},"changes":{"previous":${evil(name)}},"${name}":{"polluted":1}}]`,
      ],
      ['POST', '/v1/events', `{"eventType":"user.created","actor":${evil(name)},"context":${evil(name)}}`],
      ['POST', '/v1/destinations', `{"kind":"${name}","name":"x","settings":${evil(name)}}`],
      ['POST', '/v1/destinations', `{"kind":"splunk","name":"x","settings":${settings},"${name}":{"polluted":1}}}`],
      ['POST', '/v1/destinations', `{"kind":"splunk","name":"x","settings":${settings}},"filter":${evil(name)}}`],
      ['POST', '/v1/destinations/test', `{"kind":"splunk","settings":${settings},"${name}":"x"}}`],
      ['PATCH', '/v1/team', evil(name)],
      ['PATCH', '/v1/team', `{"alerts":${evil(name)}}`],
      ['POST', '/v1/api-keys', `{"name":"x","scopes":["${name}"]}`],
      ['POST', '/v1/invitations', `{"email":"a@b.example","role":"${name}"}`],
      ['POST', '/api/auth/sign-in/email', evil(name)],
      ['POST', `/api/auth/${name}`, '{}'],
      ['GET', `/v1/events?${name}=1`],
      ['GET', `/v1/events?${name}[polluted]=yes`],
      ['GET', `/v1/events?eventType=${name}&category=${name}&actor=${name}&status=success`],
      ['GET', `/v1/events/${name}`],
      ['GET', `/v1/destinations/${name}/health`],
      ['GET', `/v1/sandbox/${name}/received`],
      ['GET', `/${name}`],
    ];
    for (const [method, path, body] of bodies) {
      const { status, text } = await ask(api.url, method, path, { key }, body);
      assert.ok(status < 500, `${method} ${path} ${body}: ${text}`);
      assert.ok(!('polluted' in {}) && !('polluted' in (() => {})), `${method} ${path} ${body} reaches every object`);
      tried += 1;
    }
  }
  for (const item of ((await ask(api.url, 'GET', '/v1/destinations', { key })).json['items'] ?? []) as readonly {
    settings: object;
  }[])
    assert.ok(!JSON.stringify(item).includes('polluted'), 'kept what nobody knows');
  return tried;
}

/** Texts at which expressions that try everything do not end. */
function longTexts(): readonly string[] {
  const pieces = [
    'a',
    ' ',
    '\t',
    '0',
    '1.',
    '-',
    '/',
    '\\',
    ':',
    '::',
    '.',
    '..',
    '@',
    'a@',
    '@.',
    '%',
    '%2',
    '"',
    "'",
    '(',
    '[',
    '{',
    '&',
    '=',
    ',',
    ';',
    'é',
    '\u0300',
    'İ',
    '\ufdfa',
    '𝟏',
    '😀',
    '\ud800',
    '</',
    'https://',
    '127.',
    'ffff:',
    'aB1',
    '\u00ad',
    '\u202e',
    '-----BEGIN CERTIFICATE-----',
    'services/collector',
    'oauth2/',
  ];
  return pieces.flatMap((piece) => [
    piece.repeat(Math.ceil(60_000 / piece.length)),
    `${piece.repeat(Math.ceil(20_000 / piece.length))}!`,
    `x${piece.repeat(120)}\n`,
  ]);
}

/** Every text that somebody outside may send, as long as it may be sent. */
async function exhaust(api: HttpApi, most: number, random: Random): Promise<{ asked: number; slowest: number }> {
  const key = await api.key('acme', ...SCOPES);
  await api.person('acme', 'owner');
  const long = (text: string): string => encodeURIComponent(text.toWellFormed()).slice(0, 12_000).replace(/%.?$/, '');
  const latin = (text: string): string => text.replace(/[^\x20-\x7e]/g, 'x').slice(0, 12_000);
  type Attack = (text: string) => Promise<{ readonly status: number; readonly text: string }>;
  const get =
    (path: string): Attack =>
    (text) =>
      ask(api.url, 'GET', `${path}${long(text)}`, { key });
  const send =
    (method: string, path: string, body: (text: string) => unknown): Attack =>
    (text) =>
      ask(api.url, method, path, { key }, body(text));
  const attacks: readonly Attack[] = [
    ...['q', 'ip', 'eventType', 'category', 'actor', 'target', 'from', 'cursor', 'status'].map((name) =>
      get(`/v1/events?${name}=`),
    ),
    ...['/v1/events/', '/v1/destinations/', '/', '/assets/', '/v1/events?team=', '/v1/deliveries?id='].map(get),
    (text) => ask(api.url, 'GET', '/v1/events', { key: latin(text) }),
    (text) => ask(api.url, 'GET', '/v1/session', { cookie: `trailproof.session_token=${latin(text)}` }),
    (text) =>
      ask(api.url, 'GET', '/v1/events', { key }, undefined, {
        'user-agent': latin(text),
        accept: latin(text),
        'x-forwarded-for': latin(text),
      }),
    (text) => ask(api.url, 'POST', '/v1/setup', {}, {}, { origin: latin(text), 'sec-fetch-site': latin(text) }),
    send('POST', '/v1/events', (text) => [
      { eventType: text, timestamp: text, id: text },
      {
        eventType: 'a.b',
        timestamp: new Date(),
        description: text,
        actor: { id: text, email: text },
        context: { ipAddress: text, userAgent: text },
      },
    ]),
    send('POST', '/v1/events', (text) => ({ eventType: 'a.b', metadata: { [text]: text } })),
    send('POST', '/v1/events', (text) => text),
    send('POST', '/v1/password/ask-reset', (text) => ({ email: text.slice(0, 254) })),
    send('POST', '/v1/password/ask-reset', (text) => ({ email: `${text.slice(0, 200)}@acme.example` })),
    send('POST', '/v1/invitations', (text) => ({ email: `a@${text.slice(0, 250)}`, role: 'member' })),
    send('POST', '/v1/invitations/accept', (text) => ({
      token: text.slice(0, 200),
      name: text.slice(0, 128),
      password: text.slice(0, 512),
    })),
    send('POST', '/api/auth/sign-in/email', (text) => ({ email: text, password: text })),
    send('POST', '/api/auth/sign-in/email', (text) => ({ email: 'owner@acme.example', password: text })),
    send('PATCH', '/v1/team', (text) => ({ name: text.slice(0, 128), alerts: { webhookUrl: text.slice(0, 2000) } })),
    send('POST', '/v1/api-keys', (text) => ({ name: text.slice(0, 128), scopes: ['events:read'], expiresAt: text })),
    ...KINDS.flatMap((kind) => [
      send('POST', '/v1/destinations', (text) => ({
        kind,
        name: 'x',
        settings: settingsOf(kind, `https://127.0.0.1/${text.slice(0, 1_900)}`, text.slice(0, 4_000)),
      })),
      send('POST', '/v1/destinations', (text) => ({
        kind,
        name: 'x',
        settings: Object.fromEntries(Object.keys(settingsOf(kind, '')).map((name) => [name, text.slice(0, 100_000)])),
      })),
      send('POST', '/v1/destinations', (text) => ({
        kind,
        name: 'x',
        settings: {
          ...settingsOf(kind, 'https://127.0.0.1'),
          caCertificate: text,
          clientCertificate: text,
          clientKey: text.slice(0, 20_000),
          tags: text.slice(0, 2_000),
          pipeline: text.slice(0, 255),
        },
      })),
    ]),
  ];
  const texts = longTexts();
  const rounds = attacks.flatMap((attack) => texts.map((text) => [attack, text] as const));
  let slowest = 0;
  const chosen = most < rounds.length ? random.shuffled(rounds).slice(0, most) : rounds;
  for (const [i, [attack, text]] of chosen.entries()) {
    // Else the limits of requests a minute would answer in place of what is tried.
    if (i % 25 === 0) await api.clock.advance(61_000);
    const started = process.cpuUsage();
    const answer = await attack(text);
    const { user, system } = process.cpuUsage(started);
    slowest = Math.max(slowest, (user + system) / 1_000);
    assert.ok(
      answer.status < 500,
      `${attacks.indexOf(attack)} with ${JSON.stringify(text.slice(0, 20))}…: ${answer.text}`,
    );
    assert.ok(
      (user + system) / 1_000 < MOST_CPU_MS,
      `${attacks.indexOf(attack)} with ${text.length} × ${JSON.stringify(text.slice(0, 20))} took ${user / 1000} ms`,
    );
  }
  const after = await ask(
    api.url,
    'POST',
    '/api/auth/sign-in/email',
    {},
    { email: 'owner@acme.example', password: PASSWORD },
    { origin: api.url },
  );
  assert.ok(after.status < 500, after.text);
  return { asked: chosen.length, slowest };
}
