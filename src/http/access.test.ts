import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpApi, startHttpApi } from '../../test/rig/http-api.ts';
import { SCOPES, type Scope } from '../contract/scopes.ts';

const SPLUNK = { endpointUrl: 'http://127.0.0.1:9', token: 'hush-4711-hush', index: 'main' };
const RANGE = { from: '2026-01-01', to: '2026-01-02', dryRun: true };

interface Route {
  /** The scope it needs. */
  readonly access: Scope | 'operator' | 'anyone';
  readonly method: string;
  /** `E` and `D` stand for ids of an event and a destination of the team `acme`. */
  readonly path: string;
  readonly body?: object;
}

const CALLS: readonly (readonly [access: Route['access'], method: string, path: string, body?: object])[] = [
  ['anyone', 'GET', '/healthz'],
  ['anyone', 'GET', '/readyz'],
  ['anyone', 'GET', '/metrics'],
  ['anyone', 'GET', '/openapi.json'],
  ['events:write', 'POST', '/v1/events', []],
  ['events:read', 'GET', '/v1/events'],
  ['events:read', 'GET', '/v1/events/export?format=csv'],
  ['events:read', 'GET', '/v1/events/stream?ip=x'],
  ['events:read', 'GET', '/v1/events/histogram'],
  ['events:read', 'GET', '/v1/events/E'],
  ['events:read', 'GET', '/v1/events/E/deliveries'],
  ['events:read', 'GET', '/v1/categories'],
  ['events:read', 'GET', '/v1/event-types'],
  ['destinations:read', 'GET', '/v1/destination-kinds'],
  ['destinations:read', 'GET', '/v1/destinations'],
  ['destinations:read', 'GET', '/v1/destinations/D'],
  ['destinations:read', 'GET', '/v1/destinations/D/health'],
  ['destinations:read', 'GET', '/v1/destinations/D/attempts'],
  ['destinations:read', 'GET', '/v1/destinations/D/replays'],
  ['events:read', 'GET', '/v1/destinations/D/dead-letters'],
  ['destinations:write', 'POST', '/v1/destinations', { kind: 'splunk', name: 'x', settings: SPLUNK }],
  ['destinations:write', 'PATCH', '/v1/destinations/D', { name: 'y' }],
  ['destinations:write', 'POST', '/v1/destinations/D/pause'],
  ['destinations:write', 'POST', '/v1/destinations/D/resume'],
  ['destinations:write', 'POST', '/v1/destinations/D/replay', RANGE],
  ['destinations:write', 'DELETE', '/v1/destinations/D/replays/none'],
  ['destinations:write', 'POST', '/v1/destinations/D/dead-letters/redrive'],
  ['destinations:write', 'POST', '/v1/destinations/D/test'],
  ['destinations:write', 'DELETE', '/v1/destinations/D'],
  ['operator', 'GET', '/v1/teams'],
  ['operator', 'POST', '/v1/teams', { id: 'new', name: 'new' }],
  ['operator', 'GET', '/v1/api-keys'],
  ['operator', 'POST', '/v1/api-keys', { name: 'k', team: 'acme', scopes: ['events:read'] }],
  ['operator', 'DELETE', '/v1/api-keys/none'],
];
/** Every route, with a call that works under its scope. */
const ROUTES = CALLS.map(([access, method, path, body]): Route => ({ access, method, path, ...(body && { body }) }));

/** Answers that mean: you may, though there is nothing to do. A bad address ends the stream before it begins. */
const MAY = [200, 201, 204];
const MAY_BUT = new Map([
  ['/v1/events/stream?ip=x', 400],
  ['/v1/destinations/D/replays/none', 404],
]);

let api: HttpApi;
let operator: HttpApi;
let destination: string;
const keys = new Map<string, string>();
beforeAll(async () => {
  api = await startHttpApi();
  operator = await startHttpApi({}, () => ({ principal: 'operator' }));
  for (const scope of SCOPES) {
    keys.set(scope, await api.key('acme', scope));
    keys.set(`other ${scope}`, await api.key('other', scope));
    keys.set(`all ${scope}`, await api.key(null, scope));
  }
  keys.set('everything', await api.key('acme', ...SCOPES));
  const event = { id: 'E', timestamp: '2026-01-01T00:00:00Z', eventType: 'user.created' };
  await api.call('POST', '/v1/events', { key: keys.get('events:write')!, body: event });
});
afterAll(() => Promise.all([api.close(), operator.close()]));

async function call(name: string | undefined, { method, path, body }: Route, query = '') {
  if (path.includes('/D')) {
    const body = { kind: 'splunk', name: 'x', settings: SPLUNK };
    destination = (await api.call('POST', '/v1/destinations', { key: keys.get('everything')!, body })).json.id;
  }
  const at = path.replace('/D', `/${destination}`) + query.replace('?', path.includes('?') ? '&' : '?');
  const key = name === undefined ? {} : { key: keys.get(name)! };
  const headers = { accept: 'application/json' };
  return api.call(method, at, { ...key, ...(body && { body }), headers });
}

describe('who may do what', () => {
  it('is said of every route there is', () => {
    const registered = [...api.app.printRoutes({ commonPrefix: false, includeMeta: false }).matchAll(/\((.*)\)/g)]
      .flatMap((m) => m[1]!.split(', '))
      .filter((method) => method !== 'HEAD');
    expect(ROUTES).toHaveLength(registered.length);
  });

  it.each(ROUTES)('$access: $method $path works with that scope alone', async (route) => {
    const { access: scope, path } = route;
    for (const held of SCOPES) {
      const { status, json } = await call(held, route);
      if (scope === 'anyone' || held === scope) expect(MAY_BUT.has(path) ? [MAY_BUT.get(path)] : MAY).toContain(status);
      else
        expect({ status, code: json.code }).toEqual({
          status: 403,
          code: scope === 'operator' ? 'operator_only' : 'missing_scope',
        });
    }
    const stranger = await call(undefined, route);
    if (scope === 'anyone') expect(stranger.status).toBe(200);
    else {
      expect(stranger).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
      expect(stranger.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  const ofTeams = ROUTES.filter(
    ({ access, path }) => access !== 'operator' && access !== 'anyone' && !path.includes('kinds'),
  );

  it.each(ofTeams)('$access: $method $path tells another team nothing', async (route) => {
    const { access: scope, path } = route;
    expect(await call(`other ${scope}`, route, '?team=acme')).toMatchObject({
      status: 403,
      json: { code: 'wrong_team' },
    });
    const { status, text } = await call(`other ${scope}`, route);
    if (path.includes('/D') || path.includes('/E')) expect(status).toBe(404);
    expect(text).not.toContain('"acme"');
  });

  it.each(ofTeams)(
    '$access: $method $path takes the team from ?team= under a key of the installation',
    async (route) => {
      const { access: scope, method, path } = route;
      const expected = MAY_BUT.has(path) ? [MAY_BUT.get(path)] : MAY;
      expect(expected).toContain((await call(`all ${scope}`, route, '?team=acme')).status);
      const nobody = await call(`all ${scope}`, route, `?team=nobody-${method}`);
      const unnamed = await call(`all ${scope}`, route);
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
