import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpApi, PASSWORD, type Person, startHttpApi } from '../../test/rig/http-api.ts';
import { routesOf } from '../../test/rig/routes.ts';
import { isAllowed, type Permission, ROLES } from '../contract/roles.ts';
import { SCOPES } from '../contract/scopes.ts';

const SPLUNK = { endpointUrl: 'http://127.0.0.1:9', token: 'hush-4711-hush', index: 'main' };
const RANGE = { from: '2026-01-01', to: '2026-01-02', dryRun: true };
const TOKEN = 'A'.repeat(43);
const USER = { email: 'new@acme.example', name: 'New', password: PASSWORD };

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Route {
  /** What it needs. */
  readonly access: Permission | 'operator' | 'anyone';
  readonly method: Method;
  /** `E` and `D` stand for ids of an event and a destination of the team `acme`. */
  readonly path: string;
  readonly body?: object;
  /** What who may is answered, where that is no success: there is nothing to do, or what is sent is wrong. */
  readonly but?: number;
}

const CALLS: readonly (readonly [
  access: Route['access'],
  method: Method,
  path: string,
  body?: object | undefined,
  but?: number,
])[] = [
  ['anyone', 'GET', '/healthz'],
  ['anyone', 'GET', '/readyz'],
  ['anyone', 'GET', '/metrics'],
  ['anyone', 'GET', '/openapi.json'],
  ['anyone', 'GET', '/api/auth/nothing', undefined, 404],
  ['anyone', 'POST', '/api/auth/nothing', {}, 404],
  ['anyone', 'GET', '/v1/session'],
  ['anyone', 'POST', '/v1/setup', { token: TOKEN, team: { name: 'x' }, user: USER }, 410],
  ['anyone', 'POST', '/v1/links/sign-in', { token: TOKEN }, 410],
  ['anyone', 'POST', '/v1/password/ask-reset', { email: USER.email }],
  ['anyone', 'POST', '/v1/password/reset', { token: TOKEN, password: PASSWORD }, 410],
  ['anyone', 'POST', '/v1/invitations/lookup', { token: TOKEN }, 410],
  ['anyone', 'POST', '/v1/invitations/accept', { token: TOKEN, name: 'x', password: PASSWORD }, 410],
  ['events:write', 'POST', '/v1/events', []],
  ['events:read', 'GET', '/v1/events'],
  ['events:read', 'GET', '/v1/events/export?format=csv'],
  // A bad address ends the stream before it begins.
  ['events:read', 'GET', '/v1/events/stream?ip=x', undefined, 400],
  ['events:read', 'GET', '/v1/events/histogram'],
  ['events:read', 'GET', '/v1/events/E'],
  ['events:read', 'GET', '/v1/events/E/deliveries'],
  ['events:read', 'GET', '/v1/deliveries?id=none'],
  ['events:read', 'GET', '/v1/categories'],
  ['events:read', 'GET', '/v1/event-types'],
  ['destinations:read', 'GET', '/v1/destination-kinds'],
  ['destinations:read', 'GET', '/v1/destinations'],
  ['destinations:read', 'GET', '/v1/destinations/D'],
  ['destinations:read', 'GET', '/v1/destinations/D/health'],
  ['destinations:read', 'GET', '/v1/destinations/D/attempts'],
  ['destinations:read', 'GET', '/v1/destinations/D/timeline?hours=168'],
  ['destinations:read', 'GET', '/v1/destinations/D/replays'],
  ['events:read', 'GET', '/v1/destinations/D/dead-letters'],
  ['destinations:write', 'POST', '/v1/destinations', { kind: 'splunk', name: 'x', settings: SPLUNK }],
  ['destinations:write', 'POST', '/v1/destinations/test', { kind: 'splunk', settings: SPLUNK }],
  ['destinations:write', 'PATCH', '/v1/destinations/D', { name: 'y' }],
  ['destinations:write', 'POST', '/v1/destinations/D/pause'],
  ['destinations:write', 'POST', '/v1/destinations/D/resume'],
  ['destinations:write', 'POST', '/v1/destinations/D/replay', RANGE],
  ['destinations:write', 'DELETE', '/v1/destinations/D/replays/none', undefined, 404],
  ['destinations:write', 'POST', '/v1/destinations/D/dead-letters/redrive'],
  ['destinations:write', 'POST', '/v1/destinations/D/test'],
  ['destinations:write', 'DELETE', '/v1/destinations/D'],
  ['destinations:read', 'GET', '/v1/sandbox'],
  ['destinations:read', 'GET', '/v1/sandbox/splunk/received', undefined, 404],
  ['destinations:write', 'PUT', '/v1/sandbox/splunk/fault', { kind: 'busy' }, 404],
  ['destinations:write', 'DELETE', '/v1/sandbox/splunk/fault', undefined, 404],
  ['team:read', 'GET', '/v1/team'],
  ['team:admin', 'PATCH', '/v1/team', { retentionDays: 365 }],
  ['team:admin', 'POST', '/v1/team/webhook-secret', undefined, 400],
  ['team:admin', 'POST', '/v1/team/alert-test', { channel: 'mail' }],
  ['team:delete', 'GET', '/v1/team/deletion'],
  ['team:delete', 'DELETE', '/v1/team', { confirm: 'not its name' }, 400],
  ['team:admin', 'GET', '/v1/members'],
  ['team:admin', 'PATCH', '/v1/members/none', { role: 'member' }, 404],
  ['team:admin', 'DELETE', '/v1/members/none', undefined, 404],
  ['team:admin', 'GET', '/v1/invitations'],
  ['team:admin', 'POST', '/v1/invitations', { email: 'li@acme.example', role: 'member' }],
  ['team:admin', 'DELETE', '/v1/invitations/none', undefined, 404],
  ['team:admin', 'GET', '/v1/api-keys'],
  ['team:admin', 'POST', '/v1/api-keys', { name: 'k', scopes: ['team:admin'] }],
  ['team:admin', 'DELETE', '/v1/api-keys/none', undefined, 404],
  ['own:settings', 'GET', '/v1/saved-filters'],
  ['own:settings', 'POST', '/v1/saved-filters', { name: 'x', query: 'q=x' }],
  ['own:settings', 'DELETE', '/v1/saved-filters/none', undefined, 404],
  ['operator', 'GET', '/v1/teams'],
  ['operator', 'POST', '/v1/teams', { id: 'acme', name: 'acme' }, 409],
  ['operator', 'POST', '/v1/links', { kind: 'sign-in', email: 'nobody@acme.example' }, 404],
];
/** Every route, with a call that works for who may. */
const ROUTES = CALLS.map(
  ([access, method, path, body, but]): Route => ({ access, method, path, ...(body && { body }), ...(but && { but }) }),
);
const OF_TEAMS = ROUTES.filter(({ access }) => access !== 'operator' && access !== 'anyone');
/** Those whose answer is the same for every team. */
const ALIKE = /kinds|sandbox/;

let api: HttpApi;
let operator: HttpApi;
const keys = new Map<string, string>();
const people = new Map<string, Person>();
beforeAll(async () => {
  api = await startHttpApi();
  operator = await startHttpApi({}, () => ({ principal: 'operator' }));
  for (const scope of SCOPES) {
    keys.set(scope, await api.key('acme', scope));
    keys.set(`other ${scope}`, await api.key('other', scope));
    keys.set(`all ${scope}`, await api.key(null, scope));
  }
  keys.set('everything', await api.key('acme', ...SCOPES));
  for (const role of ROLES) people.set(role, await api.person('acme', role));
  people.set('other owner', await api.person('other', 'owner'));
  const gone = await api.person('acme', 'owner', 'gone@acme.example');
  await api.people.setActive('acme', gone.id, false, { kind: 'operator' }, {});
  people.set('signed out by deactivation', gone);
  people.set('deactivated', await api.person('third', 'owner', gone.email));
  await api.person('acme', 'owner', 'two@acme.example');
  people.set('in two teams', await api.person('other', 'owner', 'two@acme.example'));
  const event = { id: 'E', timestamp: '2026-01-01T00:00:00Z', eventType: 'user.created' };
  await api.call('POST', '/v1/events', { key: keys.get('events:write')!, body: event });
});
afterAll(() => Promise.all([api.close(), operator.close()]));

/** The address, with a destination of `acme` made for the call, and `query` behind what is there. */
async function at({ path }: Route, query = ''): Promise<string> {
  const whole = path + query.replace('?', path.includes('?') ? '&' : '?');
  if (!path.includes('/D')) return whole;
  const body = { kind: 'splunk', name: 'x', settings: SPLUNK };
  const { json } = await api.call('POST', '/v1/destinations', { key: keys.get('everything')!, body });
  return whole.replace('/D', `/${json.id}`);
}

/** Calls the route with the key or as the person of that name; undefined: as nobody. */
async function call(name: string | undefined, route: Route, query = '') {
  const { method, body } = route;
  const who = {
    ...(name !== undefined && keys.has(name) && { key: keys.get(name)! }),
    ...(name !== undefined && people.has(name) && { cookie: people.get(name)!.cookie }),
  };
  return api.call(method, await at(route, query), {
    ...who,
    ...(body && { body }),
    headers: { accept: 'application/json' },
  });
}

function expectMay({ but }: Route, { status, text }: { readonly status: number; readonly text: string }): void {
  expect(but ? [but] : [200, 201, 204], text).toContain(status);
}

describe('who may do what', () => {
  it('is said of every route there is', () => {
    const patterns = routesOf(api.app).map((route) => ({
      route,
      pattern: new RegExp(`^${route.replace(/\{\w+\}|\*/g, '[^/]+')}$`),
    }));
    const called = ROUTES.map(({ method, path }) => `${method} ${path.split('?')[0]}`);
    // An address with a name in it wins over the one that takes any.
    const routeOf = (call: string) =>
      (patterns.find(({ route }) => route === call) ?? patterns.find(({ pattern }) => pattern.test(call)))?.route;
    expect(called.map(routeOf).sort()).toEqual(patterns.map(({ route }) => route).sort());
  });

  it.each(ROUTES)('$access: $method $path works with that scope alone', async (route) => {
    const { access } = route;
    for (const scope of SCOPES) {
      const answer = await call(scope, route);
      if (access === 'anyone' || access === scope) expectMay(route, answer);
      else
        expect(answer).toMatchObject({
          status: 403,
          json: { code: access === 'operator' ? 'operator_only' : 'missing_scope' },
        });
    }
    const stranger = await call(undefined, route);
    if (access === 'anyone') return expectMay(route, stranger);
    expect(stranger).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
    expect(stranger.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each(ROUTES)('$access: $method $path works for the roles that are allowed it', async (route) => {
    const { access } = route;
    for (const role of ROLES) {
      const answer = await call(role, route);
      if (access === 'anyone' || (access !== 'operator' && isAllowed(role, access))) expectMay(route, answer);
      else
        expect(answer).toMatchObject({
          status: 403,
          json: { code: access === 'operator' ? 'operator_only' : 'not_allowed' },
        });
    }
  });

  it.each(ROUTES)('$access: $method $path works for the operator', async (route) => {
    const answer = await api.operator(route.method, await at(route, '?team=acme'), route.body);
    if (route.access === 'own:settings') expect(answer).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
    else if (route.access !== 'anyone' && route.access !== 'operator') expectMay(route, answer);
  });

  it.each(OF_TEAMS)('$access: $method $path tells another team nothing', async (route) => {
    const { access, path } = route;
    const strangers = ['other owner', 'deactivated', ...(keys.has(`other ${access}`) ? [`other ${access}`] : [])];
    for (const name of strangers) {
      expect(await call(name, route, '?team=acme')).toMatchObject({ status: 403, json: { code: 'wrong_team' } });
      const { status, text } = await call(name, route);
      if (people.has(name) && access === 'events:write') expect(status).toBe(403);
      else if (path.includes('/D') || path.includes('/E')) expect(status).toBe(404);
      expect(text).not.toContain('"acme"');
    }
  });

  it.each(OF_TEAMS)('$access: $method $path ends with the membership', async (route) => {
    expect(await call('signed out by deactivation', route)).toMatchObject({ status: 401 });
  });

  it.each(OF_TEAMS)('$access: $method $path asks who is in two teams which one is meant', async (route) => {
    expect(await call('in two teams', route)).toMatchObject({ status: 400, json: { code: 'team_required' } });
    const named = await call('in two teams', route, '?team=acme');
    if (route.access === 'events:write') expect(named.status).toBe(403);
    else expectMay(route, named);
  });

  it.each(OF_TEAMS.filter(({ access, path }) => SCOPES.some((s) => s === access) && !ALIKE.test(path)))(
    '$access: $method $path takes the team from ?team= under a key of the installation',
    async (route) => {
      const { access, method, path } = route;
      expectMay(route, await call(`all ${access}`, route, '?team=acme'));
      const nobody = await call(`all ${access}`, route, `?team=nobody-${ROUTES.indexOf(route)}`);
      const unnamed = await call(`all ${access}`, route);
      if (path === '/v1/events' && method === 'POST') return;
      // Creating a destination is writing: like events, it creates the team of an installation's key on first sight.
      if (path === '/v1/destinations' && method === 'POST') expect(nobody.status).toBe(201);
      else expect(nobody).toMatchObject({ status: 404, json: { code: 'not_found' } });
      if (!path.includes('/D')) expect(unnamed).toMatchObject({ status: 400, json: { code: 'team_required' } });
    },
  );

  it('never authenticates by anything but a bearer token', async () => {
    const key = keys.get('everything')!;
    for (const authorization of [key, `Basic ${btoa(`${key}:`)}`, `Bearer ${key} x`, 'Bearer'])
      expect(await api.call('GET', '/v1/events', { headers: { authorization } })).toMatchObject({ status: 401 });
    expect(await api.call('GET', `/v1/events?key=${key}`)).toMatchObject({ status: 401 });
  });

  it('stops with the key', async () => {
    const secret = await api.key('acme', 'events:read');
    expect(await api.call('GET', '/v1/events', { key: secret })).toMatchObject({ status: 200 });
    const [newest] = await api.keyring.list('acme');
    await api.keyring.revoke(newest!.id, { actor: { id: 'test', type: 'system' } });
    expect(await api.call('GET', '/v1/events', { key: secret })).toMatchObject({
      status: 401,
      json: { detail: 'This key was revoked: create a new one.' },
    });
  });
});

describe('the operator', () => {
  it('creates teams and keys, which work until revoked', async () => {
    const team = await operator.call('POST', '/v1/teams', { body: { id: 'a/b c', name: 'Acme' } });
    expect(team).toMatchObject({ status: 201, json: { id: 'a/b c', name: 'Acme', retentionDays: 365 } });
    expect(await operator.call('POST', '/v1/teams', { body: { id: 'a/b c', name: 'Acme' } })).toMatchObject({
      status: 409,
      json: { code: 'already_exists' },
    });
    expect((await operator.call('GET', '/v1/teams')).json.items).toEqual([team.json]);
    const made = await operator.call('POST', '/v1/api-keys', {
      body: { name: 'ci', team: 'a/b c', scopes: ['events:read'] },
    });
    expect(made).toMatchObject({ status: 201, json: { team: 'a/b c', status: 'active', lastUsedAt: null } });
    const listed = (await operator.call('GET', '/v1/api-keys?team=a%2Fb%20c')).json.items;
    expect(listed).toEqual([{ ...made.json, key: undefined }]);
    const path = `/v1/api-keys/${made.json.id}`;
    expect(await operator.call('DELETE', path)).toMatchObject({ status: 204 });
    expect(await operator.call('DELETE', path)).toMatchObject({ status: 404 });
    expect((await operator.call('GET', '/v1/api-keys')).json.items).toMatchObject([{ status: 'revoked' }]);
    const types = (await operator.call('GET', '/v1/events?team=a%2Fb%20c')).json.events.map(
      (e: { eventType: string; actor: { id: string } }) => [e.eventType, e.actor.id],
    );
    expect(types).toEqual([
      ['apikey.revoked', 'operator'],
      ['apikey.created', 'operator'],
      ['team.created', 'operator'],
    ]);
  });

  it('is told what cannot be', async () => {
    const key = { name: 'x', scopes: ['events:read'] };
    const make = async (body: object) => (await operator.call('POST', '/v1/api-keys', { body })).status;
    expect(await make({ ...key, team: 'nobody' })).toBe(404);
    expect(await make({ ...key, scopes: [] })).toBe(400);
    expect(await make({ ...key, scopes: ['everything'] })).toBe(400);
    expect(await make({ ...key, expiresAt: '2020-01-01' })).toBe(400);
    expect((await operator.call('POST', '/v1/teams', { body: { id: '_x', name: 'x' } })).status).toBe(400);
  });

  it('reads the log of the installation, and all destinations at once', async () => {
    await operator.call('POST', '/v1/api-keys', { body: { name: 'all', team: null, scopes: ['events:write'] } });
    const { events } = (await operator.call('GET', '/v1/events?team=_installation')).json;
    expect(events[0]).toMatchObject({ eventType: 'apikey.created', context: { teamId: '_installation' } });
    expect(await operator.call('GET', '/v1/destinations')).toMatchObject({ status: 200, json: { items: [] } });
  });
});

describe('a person', () => {
  it('is recorded once an hour in the log of a team they ask for and are not in', async () => {
    const { cookie, id, email } = await api.person('mine', 'admin', 'curious@mine.example');
    const ask = () => api.call('GET', '/v1/destinations?team=acme', { cookie, headers: { 'user-agent': 'test/1' } });
    const attempts = async () =>
      (await api.operator('GET', '/v1/events?team=acme&eventType=auth.login.failure&actor=curious@mine.example')).json
        .events;
    await ask();
    await ask();
    expect(await attempts()).toMatchObject([
      {
        status: 'failure',
        failureReason: 'unauthorized_team_access',
        actor: { id, email, type: 'user' },
        context: { teamId: 'acme', ipAddress: '127.0.0.1', userAgent: 'test/1', sessionId: expect.any(String) },
        metadata: { endpoint: 'GET /v1/destinations' },
      },
    ]);
    await api.clock.advance(3_600_000);
    await ask();
    expect(await attempts()).toHaveLength(2);
    // A team that does not exist does not come into being.
    expect((await api.call('GET', '/v1/destinations?team=nobody', { cookie })).status).toBe(403);
    expect(await api.store.teams.get('nobody')).toBeUndefined();
  });

  it('is never asked for a password by the browser itself', async () => {
    const { headers } = await api.call('GET', '/v1/events', { cookie: 'trailproof.session_token=made-up.made-up' });
    expect(headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a sister site', { 'sec-fetch-site': 'same-site' }],
    ['an origin that is not ours', { origin: 'https://evil.example' }],
    ['no origin to be named', { origin: 'null' }],
  ])('changes nothing from %s', async (_, headers: Record<string, string>) => {
    const { cookie } = people.get('owner')!;
    const refused = { status: 403, json: { code: 'cross_origin' } };
    const body = { email: 'mallory@evil.example', role: 'owner' };
    expect(await api.call('POST', '/v1/invitations', { cookie, headers, body })).toMatchObject(refused);
    expect(await api.call('POST', '/v1/links/sign-in', { headers, body: { token: TOKEN } })).toMatchObject(refused);
    expect(await api.call('POST', '/api/auth/sign-in/email', { headers, body: {} })).toMatchObject(refused);
    // Reading shows the page nothing, and a key is not sent along by browsers.
    expect((await api.call('GET', '/v1/invitations', { cookie, headers })).status).toBe(200);
    expect((await api.call('POST', '/v1/events', { key: keys.get('events:write')!, headers, body: [] })).status).toBe(
      200,
    );
  });

  it.each([{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: 'OURS' }, {}])(
    'changes what they may from a page of ours: %j',
    async (sent) => {
      const { cookie } = people.get('owner')!;
      const headers: Record<string, string> = 'origin' in sent ? { origin: api.url } : { ...sent };
      const body = { retentionDays: 365 };
      expect((await api.call('PATCH', '/v1/team', { cookie, headers, body })).status).toBe(200);
    },
  );
});

describe('rate limits', () => {
  it('are per key, and say when to come back', async () => {
    const limited = await startHttpApi({ RATE_LIMIT_PER_MINUTE: '3' });
    try {
      const [one, two] = [await limited.key('acme', 'events:read'), await limited.key('acme', 'events:read')];
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await limited.call('GET', '/v1/events', { key: one })).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
      const refused = await limited.call('GET', '/v1/categories', { key: one });
      expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limited', status: 429 } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await limited.call('GET', '/v1/events', { key: two })).toMatchObject({ status: 200 });
      expect(await limited.call('GET', '/healthz')).toMatchObject({ status: 200 });
    } finally {
      await limited.close();
    }
  });

  it('are per person, in whichever browser', async () => {
    const limited = await startHttpApi({ RATE_LIMIT_PER_MINUTE: '3' });
    try {
      const [ana, li] = [await limited.person('acme', 'owner'), await limited.person('acme', 'admin')];
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await limited.call('GET', '/v1/team', { cookie: ana.cookie })).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
      expect(await limited.call('GET', '/v1/team', { cookie: li.cookie })).toMatchObject({ status: 200 });
    } finally {
      await limited.close();
    }
  });

  it('are tight for those who guess', async () => {
    const guess = { key: `tp_${'A'.repeat(43)}` };
    const answers = new Set<number>();
    for (let i = 0; i < 620; i++) answers.add((await operatorless.call('GET', '/v1/events', guess)).status);
    expect([...answers]).toEqual([401, 429]);
  });

  let operatorless: HttpApi;
  beforeAll(async () => {
    operatorless = await startHttpApi();
  });
  afterAll(() => operatorless.close());
});
