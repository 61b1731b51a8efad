import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import { cpuOf, temporaryFolder } from '../../rig/service.ts';
import { totp } from '../../rig/totp.ts';
import type { Scenario, Size } from '../scenario.ts';
import { type Answered, type Asker, ask, cookieOf } from './http.ts';
import { type WatchedService, watchService } from './watched-service.ts';

const PASSWORD = 'four unrelated words walk home';
const OWNER = 'owner@acme.example';
const ORIGIN = 'https://audit.example';
const FORM = 'application/x-www-form-urlencoded';
type Headers = Readonly<Record<string, string>>;

/** Sessions cannot be planted, used from elsewhere, kept after their end, guessed, or asked who there is. */
export const sessions: Scenario = {
  name: 'security/sessions',
  withinSeconds: 180,
  async run({ size, say }) {
    const folder = await temporaryFolder();
    try {
      // Behind a proxy, as on the open network: secure cookies, and addresses that the proxy names.
      const service = await watchService(folder.path, { PUBLIC_URL: ORIGIN, TRUSTED_PROXIES: '127.0.0.1' });
      try {
        const token = service.setupUrl!.split('#')[1];
        const user = { email: OWNER, name: 'Owner', password: PASSWORD };
        const entered = await post(service, '/v1/setup', {}, { token, team: { name: 'Acme' }, user });
        assert.equal(entered.status, 201, entered.text);
        flagsOf(entered);
        const planted = await plantCookies(service, cookieOf(entered));
        const foreign = await askFromElsewhere(service, cookieOf(entered));
        const ended = await endSessions(service, folder.path);
        const told = await askWhoThereIs(service, size);
        const guesses = await guess(service, cookieOf(entered), size);
        say(
          `${planted} planted cookies, ${foreign} foreign requests, ${ended} ends, ${told} questions, ${guesses} guesses`,
        );
        const faults = planted + foreign + ended + told + guesses;
        return { events: 0, faults, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
      } finally {
        await service.end();
      }
    } finally {
      await folder.remove();
    }
  },
};

let addresses = 0;

/** From an address of its own unless one is given: limits by address are to strike only where they are tried. */
function post(
  { url }: WatchedService,
  path: string,
  asker: Asker,
  body: unknown,
  headers: Headers = {},
): Promise<Answered> {
  addresses += 1;
  const from = `2001:db8:${(addresses >> 16).toString(16)}:${(addresses & 0xffff).toString(16)}::1`;
  return ask(url, 'POST', path, asker, body, { 'x-forwarded-for': from, origin: ORIGIN, ...headers });
}

function signIn(service: WatchedService, password = PASSWORD, email = OWNER, cookie?: string, headers: Headers = {}) {
  const asker = cookie === undefined ? {} : { cookie };
  return post(service, '/api/auth/sign-in/email', asker, { email, password }, headers);
}

async function isSignedIn({ url }: WatchedService, cookie: string): Promise<string | null> {
  const { json } = await ask(url, 'GET', '/v1/session', { cookie });
  return (json['user'] as { email: string } | null)?.email ?? null;
}

function flagsOf({ headers }: Answered): void {
  const session = headers.getSetCookie().filter((cookie) => cookie.includes('session_token='));
  assert.equal(session.length, 1, 'one session cookie');
  for (const flag of [/^__Secure-/, /; ?Secure/i, /; ?HttpOnly/i, /; ?SameSite=(Lax|Strict)/i, /; ?Path=\//i])
    assert.match(session[0]!, flag);
  assert.doesNotMatch(session[0]!, /; ?Domain=/i);
}

/** What a browser had before signing in is worth nothing afterwards. */
async function plantCookies(service: WatchedService, valid: string): Promise<number> {
  const name = valid.split('=', 1)[0]!;
  const unsigned = `${name}=${randomBytes(24).toString('base64url')}`;
  const swapped = `${name}=${randomBytes(24).toString('base64url')}.${decodeURIComponent(valid).split('.').at(-1)}`;
  const doubled = `${unsigned}; ${valid}; ${unsigned}`;
  const planted = [
    unsigned,
    swapped,
    `${name}=`,
    `${name}=null`,
    `${name}=%00`,
    valid.slice(0, -4),
    `${valid}x`,
    doubled,
  ];
  for (const cookie of planted) {
    const answer = await signIn(service, PASSWORD, OWNER, cookie);
    assert.equal(answer.status, 200, answer.text);
    const given = cookieOf(answer);
    assert.ok(given.length > 0 && !cookie.includes(given.split('=')[1]!), 'a new session has a new secret');
    if (cookie !== doubled) assert.equal(await isSignedIn(service, cookie), null, `${cookie} is nobody's`);
  }
  assert.equal(await isSignedIn(service, valid.replace('__Secure-', '')), null, 'the name is part of the cookie');
  return planted.length;
}

/** Every change, asked for by a page of another site, a form, or nothing that says where it comes from. */
async function askFromElsewhere(service: WatchedService, cookie: string): Promise<number> {
  const { url } = service;
  const paths = (await ask(url, 'GET', '/openapi.json')).json['paths'] as Readonly<Record<string, object>>;
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replace(/\{\w+\}/g, 'x') })),
  );
  for (const path of [
    'sign-in/email',
    'sign-out',
    'two-factor/enable',
    'change-password',
    'update-user',
    'revoke-other-sessions',
  ])
    routes.push({ method: 'POST', path: `/api/auth/${path}` });
  const foreign: readonly Headers[] = [
    ...[
      'https://evil.example',
      'null',
      'http://audit.example',
      'https://audit.example.evil.example',
      'https://evil.example@audit.example:1',
    ].map((origin) => ({ origin })),
    ...['https://audit.example:444', 'https://sub.audit.example', 'file://', 'https://AUDIT.example.'].map(
      (origin) => ({ origin }),
    ),
    ...['cross-site', 'same-site', 'Same-Origin', ''].map((site) => ({
      'sec-fetch-site': site,
      origin: 'https://evil.example',
    })),
  ];
  const before = await stateOf(service, cookie);
  let asked = 0;
  for (const { method, path } of routes) {
    if (method === 'GET') {
      const answer = await ask(url, 'GET', path.replace('/stream', '/stream?ip=x'), { cookie }, undefined, {
        origin: 'https://evil.example',
      });
      assert.equal(answer.headers.get('access-control-allow-origin'), null, path);
      asked += 1;
      continue;
    }
    for (const headers of foreign) {
      const answer = await ask(
        url,
        method,
        path,
        { cookie },
        { name: 'taken', email: OWNER, password: PASSWORD },
        headers,
      );
      assert.ok(
        answer.status === 403 && answer.json['code'] === 'cross_origin',
        `${method} ${path} from ${JSON.stringify(headers)}: ${answer.status} ${answer.text}`,
      );
      asked += 1;
    }
    // What a form of any page can send without a question first; very old browsers name no origin.
    for (const type of [
      FORM,
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/json;charset=x, text/plain',
      '',
    ]) {
      const answer = await ask(url, method, path, { cookie }, 'name=taken', {
        'content-type': type,
        origin: 'https://evil.example',
      });
      assert.equal(answer.status, 403, `${method} ${path} as ${type}: ${answer.text}`);
      asked += 1;
    }
    const preflight = await ask(url, 'OPTIONS', path, { cookie }, undefined, {
      'access-control-request-method': method,
      origin: 'https://evil.example',
    });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null, path);
  }
  assert.deepEqual(await stateOf(service, cookie), before, 'nothing was changed');
  return asked;
}

async function stateOf({ url }: WatchedService, cookie: string): Promise<unknown> {
  const state = [];
  for (const path of [
    '/v1/team',
    '/v1/members',
    '/v1/invitations',
    '/v1/api-keys',
    '/v1/destinations',
    '/v1/saved-filters',
  ]) {
    const { status, json } = await ask(url, 'GET', path, { cookie });
    assert.equal(status, 200, `${path}: still signed in`);
    state.push(JSON.stringify(json).replace(/"lastSeenAt":"[^"]*"/g, ''));
  }
  return state;
}

/** Signed out, deactivated, removed, or with a new password: the cookie is worth nothing from then on. */
async function endSessions(service: WatchedService, folder: string): Promise<number> {
  const operator = openApi({ socketPath: operatorSocket(folder) });
  try {
    const email = 'guest@acme.example';
    const { link } = await operator.json<{ link: string }>('POST', '/v1/invitations?team=acme', {
      email,
      role: 'admin',
    });
    const body = { token: link.split('#')[1], name: 'Guest', password: PASSWORD };
    const joined = await post(service, '/v1/invitations/accept', {}, body);
    assert.equal(joined.status, 200, joined.text);
    assert.equal((await post(service, '/v1/invitations/accept', {}, body)).status, 410, 'an invitation is good once');
    const { items } = await operator.json<{ items: readonly { id: string; email: string }[] }>(
      'GET',
      '/v1/members?team=acme',
    );
    const { id } = items.find((member) => member.email === email)!;
    const begin = async (password = PASSWORD): Promise<string> => cookieOf(await signIn(service, password, email));
    const gone = async (cookie: string, how: string): Promise<void> => {
      assert.equal((await ask(service.url, 'GET', '/v1/events', { cookie })).status, 401, how);
      assert.equal(await isSignedIn(service, cookie), null, how);
    };
    const [one, two] = [await begin(), await begin()];
    await post(service, '/api/auth/sign-out', { cookie: one }, {});
    await gone(one, 'signed out');
    assert.equal(await isSignedIn(service, two), email, 'the other session goes on');
    const next = 'five other words walk back';
    const changed = await post(
      service,
      '/api/auth/change-password',
      { cookie: await begin() },
      { currentPassword: PASSWORD, newPassword: next },
    );
    assert.equal(changed.status, 200, changed.text);
    await gone(two, 'a password changed elsewhere');
    await gone(cookieOf(joined), 'a password changed elsewhere');
    const three = await begin(next);
    await operator.json('PATCH', `/v1/members/${id}?team=acme`, { status: 'deactivated' });
    await gone(three, 'deactivated');
    await operator.json('PATCH', `/v1/members/${id}?team=acme`, { status: 'active' });
    await gone(three, 'deactivated once');
    const four = await begin(next);
    const { url } = await operator.json<{ url: string }>('POST', '/v1/links', { kind: 'reset', email });
    const reset = { token: url.split('#')[1], password: PASSWORD };
    assert.equal((await post(service, '/v1/password/reset', {}, reset)).status, 204);
    assert.equal((await post(service, '/v1/password/reset', {}, reset)).status, 410, 'a link is good once');
    await gone(four, 'reset');
    const five = await begin();
    await operator.json('DELETE', `/v1/members/${id}?team=acme`);
    await gone(five, 'removed');
    return 7;
  } finally {
    await operator.close();
  }
}

/** The same answer, in the same processor time, whether or not somebody has the address. */
async function askWhoThereIs(service: WatchedService, size: Size): Promise<number> {
  const rounds = size === 'full' ? 8 : 3;
  const plain = ({ status, text, headers }: Answered): string =>
    `${status} ${text.replace(/"requestId":"[^"]*"/, '')} ${[...headers.keys()].sort().join()}`;
  const used = { known: 0, unknown: 0 };
  for (let i = 0; i < rounds; i++) {
    const seen = new Set<string>();
    for (const who of ['known', 'unknown'] as const) {
      const email = who === 'known' ? OWNER : `nobody${i}@acme.example`;
      const before = await cpuOf(service.pid);
      seen.add(plain(await signIn(service, `not the password ${i}`, email)));
      used[who] += (await cpuOf(service.pid)) - before;
      seen.add(`reset ${plain(await post(service, '/v1/password/ask-reset', {}, { email }))}`);
    }
    assert.equal(seen.size, 2, [...seen].join('\n'));
  }
  // Hashing a password is nearly all of it: were it left out for strangers, the one would be many times the other.
  const ratio = (used.known + 10) / (used.unknown + 10);
  assert.ok(ratio > 0.33 && ratio < 3, `${used.known} ms for who is known, ${used.unknown} ms for who is not`);
  return 4 * rounds;
}

async function guess(service: WatchedService, cookie: string, size: Size): Promise<number> {
  let guesses = 0;
  const limited = async (most: number, attempt: (i: number) => Promise<Answered>): Promise<number> => {
    for (let i = 0; i < most; i++) {
      guesses += 1;
      const { status, headers } = await attempt(i);
      if (status !== 429) continue;
      assert.ok(Number(headers.get('retry-after')) > 0, 'says when to come back');
      return i;
    }
    return assert.fail(`${most} guesses and no limit`);
  };
  const here = { 'x-forwarded-for': '198.51.100.66' };
  await limited(40, (i) => signIn(service, `guess number ${i} of many`, `somebody${i}@acme.example`, undefined, here));
  assert.equal((await signIn(service, PASSWORD)).status, 200, 'others are not kept out');

  // The second factor: five wrong codes end the challenge, ten lock it, whatever password and address come with it.
  const enabled = await post(service, '/api/auth/two-factor/enable', { cookie }, { password: PASSWORD });
  const uri = String(enabled.json['totpURI']);
  const verified = await post(service, '/api/auth/two-factor/verify-totp', { cookie }, { code: totp(uri) });
  assert.equal(verified.status, 200, verified.text);
  const backup = enabled.json['backupCodes'];
  assert.ok(Array.isArray(backup));
  let challenge = '';
  const wrong = async (i: number): Promise<Answered> => {
    if (i % 4 === 0) challenge = cookieOf(await signIn(service));
    const kind = i % 2 === 0 ? 'totp' : 'backup-code';
    return post(
      service,
      `/api/auth/two-factor/verify-${kind}`,
      { cookie: challenge },
      { code: kind === 'totp' ? String(100_000 + i) : `AAAAA-AAA${i}` },
    );
  };
  const codes = await limited(30, wrong);
  assert.ok(codes <= 12, `${codes} wrong codes were let through`);
  challenge = cookieOf(await signIn(service));
  for (const [path, code] of [
    ['verify-totp', totp(uri, 1)],
    ['verify-backup-code', String(backup[0])],
  ] as const)
    assert.equal(
      (await post(service, `/api/auth/two-factor/${path}`, { cookie: challenge }, { code })).status,
      429,
      `${path} while locked`,
    );

  if (size === 'short') return guesses;
  // Whoever comes from everywhere is stopped at the account, and with them, for an hour, its password.
  const tried = await limited(110, (i) => signIn(service, `guess number ${i} from afar`));
  assert.ok(tried <= 100, `${tried} guesses from everywhere`);
  assert.equal((await signIn(service, PASSWORD)).status, 429);
  await limited(700, () =>
    post(service, '/v1/invitations/lookup', {}, { token: randomBytes(32).toString('base64url') }, here),
  );
  return guesses;
}
