import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpApi, startHttpApi } from '../../../test/rig/http-api.ts';
import type { StandIn } from '../../destinations/destination.ts';
import { destinationKinds } from '../../destinations/registry.ts';
import { plainEvent } from '../../event/logged-event.ts';

const TOKEN = 'hush-4711-hush-4711';
const SPLUNK = { endpointUrl: 'https://splunk.example.com:8088/services/collector', token: TOKEN, index: 'main' };

let api: HttpApi;
let key: string;
let id: string;
beforeAll(async () => {
  api = await startHttpApi();
  key = await api.key('acme', 'events:write', 'events:read', 'destinations:read', 'destinations:write');
});
afterAll(() => api.close());
beforeEach(async () => {
  id = (await create()).json.id;
});

const create = (more: object = {}) => post('', { kind: 'splunk', name: 'SOC', settings: SPLUNK, ...more });
const at = (path: string) => `/v1/destinations${path}`;
const get = (path: string) => api.call('GET', at(path), { key });
const post = (path: string, body?: unknown) => api.call('POST', at(path), { key, body });
const patch = (body: unknown) => api.call('PATCH', at(`/${id}`), { key, body });
/** The latest audit event of a type. */
const audited = async (type: string) =>
  (await api.call('GET', `/v1/events?eventType=${type}&limit=1`, { key })).json.events[0];

describe('POST /v1/destinations', () => {
  it('creates one, and shows secrets only as set', async () => {
    const { status, headers, json } = await create({ filter: { eventTypes: ['login.success'] } });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/destinations/${json.id}`);
    expect(json).toMatchObject({
      ...{ teamId: 'acme', kind: 'splunk', name: 'SOC', state: 'pending', parallel: 1, lingerMs: 0 },
      settings: { endpointUrl: 'https://splunk.example.com:8088', index: 'main', token: { set: true } },
      filter: { categories: null, eventTypes: ['auth.login.success'], newCategories: true },
    });
    expect((await get(`/${json.id}`)).json).toEqual(json);
    expect((await get('')).json.items).toContainEqual(json);
  });

  it('names every wrong field at once', async () => {
    const { status, json } = await create({ settings: { endpointUrl: 'ftp://x', colour: 'red' } });
    expect(status).toBe(422);
    expect(json.code).toBe('invalid_settings');
    expect(json.errors.map((e: { path: string }) => e.path).sort()).toEqual([
      'settings.colour',
      'settings.endpointUrl',
      'settings.index',
      'settings.token',
    ]);
  });

  it.each([
    [{ kind: 'syslog' }, 422, 'kind'],
    [{ name: '' }, 400, 'name'],
    [{ startAt: 'tomorrow' }, 400, 'startAt'],
    [{ parallel: 9 }, 400, 'parallel'],
    [{ filter: { category: 'x' } }, 400, 'filter.category'],
    [{ colour: 'red' }, 400, 'colour'],
  ])('refuses %j with %i and names the field', async (more, status, path) => {
    expect(await create(more)).toMatchObject({ status, json: { errors: [{ path }] } });
  });

  it('starts now, at the beginning, or at a time', async () => {
    const [{ sequence: before }] = (await api.call('GET', '/v1/events?limit=1', { key })).json.events;
    const startOf = async (startAt: string) =>
      (await api.store.destinations.get((await create({ startAt })).json.id))!.startAfter;
    expect(await startOf('beginning')).toBe(0);
    expect(await startOf('2020-01-01')).toBe(0);
    expect(await startOf('now')).toBeGreaterThanOrEqual(before);
  });

  it('is recorded with what was set, but no secret', async () => {
    const event = await audited('siem.destination.created');
    expect(event).toMatchObject({
      actor: { type: 'service', name: 'test key' },
      target: { type: 'siem_destination', id, name: 'SOC' },
      changes: { current: { index: 'main', token: '[changed]', filter: { categories: null } } },
    });
  });
});

describe('PATCH /v1/destinations/{id}', () => {
  const sealed = async () => (await api.store.destinations.get(id))!.sealed['token'];

  it('changes what is sent and keeps the rest, the secret too', async () => {
    const before = await sealed();
    const { json } = await patch({ name: 'Security', settings: { index: 'audit', source: 'x' } });
    expect(json).toMatchObject({ name: 'Security', settings: { index: 'audit', source: 'x', token: { set: true } } });
    expect(await sealed()).toBe(before);
    expect((await patch({ settings: { source: null } })).json.settings).not.toHaveProperty('source');
  });

  it('takes back what it showed', async () => {
    const { settings } = (await get(`/${id}`)).json;
    expect(await patch({ settings })).toMatchObject({ status: 200, json: { settings } });
  });

  it('seals a new secret', async () => {
    const before = await sealed();
    await patch({ settings: { token: 'another-token-0815' } });
    expect(await sealed()).not.toBe(before);
    expect((await audited('siem.destination.updated')).changes).toEqual({
      previous: { token: '[changed]' },
      current: { token: '[changed]' },
    });
  });

  it('is recorded with before and after, filters apart, nothing when nothing changed', async () => {
    await patch({ name: 'New', settings: { index: 'audit' }, filter: { categories: ['authentication'] } });
    const updated = await audited('siem.destination.updated');
    expect(updated.changes).toEqual({
      previous: { name: 'SOC', index: 'main' },
      current: { name: 'New', index: 'audit' },
    });
    const filtered = await audited('siem.categories.updated');
    expect(filtered.changes).toEqual({
      previous: { categories: null, eventTypes: null, newCategories: true },
      current: { categories: ['authentication'], eventTypes: null, newCategories: true },
    });
    await patch({ name: 'New', filter: { newCategories: true } });
    expect((await audited('siem.destination.updated')).id).toBe(updated.id);
    expect((await audited('siem.categories.updated')).id).toBe(filtered.id);
  });

  it('refuses what would not work, and keeps what was', async () => {
    expect(await patch({ settings: { index: null } })).toMatchObject({
      status: 422,
      json: { errors: [{ path: 'settings.index', message: 'is required' }] },
    });
    expect(await patch({ kind: 'elastic' })).toMatchObject({ status: 400 });
    expect((await get(`/${id}`)).json.settings.index).toBe('main');
  });
});

describe('what is done to a destination', () => {
  it('pauses and resumes, each recorded once', async () => {
    expect((await post(`/${id}/pause`)).json.state).toBe('paused');
    const paused = await audited('siem.destination.paused');
    await post(`/${id}/pause`);
    expect((await audited('siem.destination.paused')).id).toBe(paused.id);
    expect(paused.changes).toEqual({ previous: { paused: false }, current: { paused: true } });
    expect((await post(`/${id}/resume`)).json.state).toBe('pending');
    expect(await audited('siem.destination.resumed')).toMatchObject({
      target: { id },
      changes: { previous: { paused: true }, current: { paused: false } },
    });
  });

  it('deletes it, recorded with what it was', async () => {
    expect(await api.call('DELETE', at(`/${id}`), { key })).toMatchObject({ status: 204, text: '' });
    expect(await get(`/${id}`)).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect((await audited('siem.destination.deleted')).changes.previous).toMatchObject({ name: 'SOC', index: 'main' });
  });

  it('tells its health', async () => {
    expect(await get(`/${id}/health`)).toMatchObject({
      status: 200,
      json: {
        ...{ state: 'pending', since: '2026-01-15T10:30:00.000Z', lag: { events: 0, seconds: 0 } },
        counts: { matched: 0, filtered: 0, delivered: 0, deadLettered: 0, pending: 0 },
        ...{ last24h: { delivered: 0 }, lastSuccessAt: null, lastError: null },
      },
    });
  });

  it('replays a range, or only counts it; a replay can be stopped', async () => {
    const range = { from: '2026-01-15', to: '2026-01-16' };
    const dry = await post(`/${id}/replay`, { ...range, dryRun: true });
    expect(dry).toMatchObject({ status: 200, json: { id: null, status: 'dry_run' } });
    expect(dry.json.events).toBeGreaterThan(0);
    const { status, json } = await post(`/${id}/replay`, range);
    expect(status).toBe(201);
    expect(json).toMatchObject({ status: 'running', from: '2026-01-15T00:00:00.000Z' });
    expect(json.bytes).toBeGreaterThan(0);
    expect((await get(`/${id}/replays`)).json.items).toMatchObject([{ id: json.id }]);
    expect((await audited('siem.destination.replayed')).target.id).toBe(id);
    expect(await api.call('DELETE', at(`/${id}/replays/${json.id}`), { key })).toMatchObject({ status: 204 });
    expect(await api.call('DELETE', at(`/${id}/replays/none`), { key })).toMatchObject({ status: 404 });
    expect(await audited('siem.destination.replay_cancelled')).toMatchObject({
      target: { id },
      changes: { previous: { status: 'running' }, current: { status: 'cancelled' } },
      metadata: { replay: json.id },
    });
    expect(await post(`/${id}/replay`, { from: range.to, to: range.from })).toMatchObject({ status: 400 });
  });

  it('shows dead letters with reason and event, and sends them again', async () => {
    const progress = (await api.store.destinations.progress(id))!;
    const event = plainEvent((await api.store.log.read('acme', 0, { events: 1, bytes: 1 }))[0]!);
    const { bytes: _, team: __, ...kept } = event;
    const refused = { at: api.clock.now(), reason: 'too old', status: 400, answer: 'no', redriving: false };
    const counted = { ...progress, matched: 1, deadLettered: 1 };
    await api.store.destinations.settle({ destination: id, progress: counted, deadLetters: [{ ...kept, ...refused }] });
    const { json } = await get(`/${id}/dead-letters`);
    for (const list of ['dead-letters', 'attempts'])
      expect(await get(`/${id}/${list}?cursor=nonsense`)).toMatchObject({
        status: 400,
        json: { code: 'invalid_request' },
      });
    expect(json).toMatchObject({
      items: [{ id: event.id, reason: 'too old', status: 400, answer: 'no', at: '2026-01-15T10:30:00.000Z' }],
      nextCursor: null,
    });
    expect(json.items[0].event).toEqual(JSON.parse(event.json));
    expect((await post(`/${id}/dead-letters/redrive`, { ids: ['nobody'] })).json).toEqual({ redriven: 0 });
    expect((await post(`/${id}/dead-letters/redrive`)).json).toEqual({ redriven: 1 });
    expect((await audited('siem.dead_letters.redriven')).target.id).toBe(id);
  });
});

describe('a call without a body', () => {
  it('may name a content type all the same', async () => {
    const headers = { 'content-type': 'application/json' };
    const { id: other } = (await create()).json;
    const call = (method: string, path: string) => api.call(method, at(path), { key, headers });
    for (const action of ['pause', 'resume', 'dead-letters/redrive'])
      expect(await call('POST', `/${other}/${action}`)).toMatchObject({ status: 200 });
    expect(await call('DELETE', `/${other}`)).toMatchObject({ status: 204 });
  });
});

describe('POST /v1/destinations/{id}/test', () => {
  const splunk = destinationKinds.find(({ kind }) => kind === 'splunk')!;
  const withStandIn = async (settings: object, use: (id: string, standIn: StandIn) => Promise<void>) => {
    const standIn = await (await splunk.standIn())({ port: 0 });
    try {
      await use((await create({ settings: { ...standIn.settings, ...settings } })).json.id, standIn);
    } finally {
      await standIn.close();
    }
  };
  const test = (of: string, accept: string) => api.call('POST', at(`/${of}/test`), { key, headers: { accept } });

  it('sends a marked event on the path of deliveries, and tells each step', async () => {
    await withStandIn({}, async (of, standIn) => {
      const { status, json } = await test(of, 'application/json');
      expect(status).toBe(200);
      expect(json).toMatchObject({ ok: true });
      expect(json.steps.at(-1)).toMatchObject({ name: 'write', ok: true });
      expect(standIn.counts().events).toBe(1);
      expect((await get(`/${of}/attempts`)).json.items).toMatchObject([
        { kind: 'test', outcome: 'delivered', events: 1 },
      ]);
      expect(await audited('siem.destination.tested')).toMatchObject({ status: 'success', target: { id: of } });
    });
  });

  it('streams the steps as they end', async () => {
    await withStandIn({}, async (of) => {
      const { headers, text } = await test(of, 'text/event-stream, application/json;q=0.9');
      expect(headers.get('content-type')).toBe('text/event-stream');
      const frames = text.trim().split('\n\n');
      expect(frames[0]).toMatch(/^event: step\ndata: \{"name":"address","ok":true/);
      expect(frames.at(-1)).toMatch(/^event: result\ndata: \{"ok":true,"steps":\[/);
    });
  });

  it('says what is wrong and what to do, and counts as a failed test', async () => {
    await withStandIn({ token: TOKEN }, async (of) => {
      const { json } = await test(of, 'application/json');
      expect(json.ok).toBe(false);
      expect(json.steps.at(-1)).toMatchObject({ ok: false });
      expect(json.steps.at(-1).fix).not.toBe('');
      expect(await audited('siem.destination.tested')).toMatchObject({ status: 'failure' });
    });
  });
});

describe('POST /v1/destinations/test', () => {
  const test = (body: object) =>
    api.call('POST', '/v1/destinations/test', { key, body, headers: { accept: 'application/json' } });
  const splunk = destinationKinds.find(({ kind }) => kind === 'splunk')!;

  it('tests settings that nobody saved, in the same way, and keeps nothing of them', async () => {
    const standIn = await (await splunk.standIn())({ port: 0 });
    try {
      const before = (await get('')).json.items.length;
      expect((await test({ kind: 'splunk', settings: standIn.settings })).json).toMatchObject({ ok: true });
      expect(standIn.counts().events).toBe(1);
      expect((await get('')).json.items).toHaveLength(before);
      const event = await audited('siem.destination.tested');
      expect(event).toMatchObject({ status: 'success', target: { id: 'unsaved', name: 'unsaved' } });
      expect(JSON.stringify(event)).not.toContain(standIn.settings['token']);
    } finally {
      await standIn.close();
    }
  });

  it('takes secrets that are not sent from the destination they are kept in, of one’s own team', async () => {
    const standIn = await (await splunk.standIn())({ port: 0 });
    try {
      const { token: _, ...open } = standIn.settings;
      const of = (await create({ settings: standIn.settings })).json.id;
      expect((await test({ kind: 'splunk', settings: open, id: of })).json).toMatchObject({ ok: true });
      expect(await audited('siem.destination.tested')).toMatchObject({ target: { id: of, name: 'unsaved' } });
      expect((await get(`/${of}/attempts`)).json.items).toEqual([]);
      const wrong = await test({ kind: 'datadog', settings: {}, id: of });
      expect(wrong).toMatchObject({ status: 422, json: { code: 'invalid_settings' } });
      const stranger = await api.key('other', 'destinations:write');
      const body = { kind: 'splunk', settings: open, id: of };
      expect((await api.call('POST', '/v1/destinations/test', { key: stranger, body })).status).toBe(404);
    } finally {
      await standIn.close();
    }
  });

  it('names every wrong field', async () => {
    expect(await test({ kind: 'splunk', settings: { endpointUrl: 'x' } })).toMatchObject({
      status: 422,
      json: { errors: expect.arrayContaining([expect.objectContaining({ path: 'settings.token' })]) },
    });
  });
});

describe('GET /v1/destinations/{id}/timeline', () => {
  it('counts deliveries and failures by minutes of a day, or hours of a month', async () => {
    const attempt = { kind: 'delivery', firstSequence: 1, lastSequence: 2, bytes: 10, durationMs: 5 } as const;
    const answer = { status: 200, reason: null, answer: null, lagMs: 1500 };
    const of = (await create({})).json.id;
    const stored = (await api.store.destinations.progress(of))!;
    const ago = async (hours: number, outcome: 'delivered' | 'retry', delivered: number) =>
      api.store.destinations.settle({
        destination: of,
        progress: stored,
        attempt: { ...attempt, ...answer, at: api.clock.now() - hours * 3_600_000, events: 2, outcome, delivered },
      });
    await ago(0, 'delivered', 2);
    await ago(0.5, 'retry', 0);
    await ago(30, 'delivered', 2);
    const day = (await get(`/${of}/timeline`)).json;
    expect(day).toMatchObject({
      unit: 'minute',
      buckets: [
        { delivered: 0, failed: 1 },
        { delivered: 2, lagSeconds: 1.5 },
      ],
    });
    const week = (await get(`/${of}/timeline?hours=168`)).json;
    expect(week.unit).toBe('hour');
    expect(week.buckets.reduce((sum: number, b: { delivered: number }) => sum + b.delivered, 0)).toBe(4);
    expect((await get(`/${of}/timeline?hours=5`)).status).toBe(400);
  });
});

describe('GET /v1/destination-kinds', () => {
  it('describes the form of each kind', async () => {
    const { items } = (await api.call('GET', '/v1/destination-kinds', { key })).json;
    expect(items.map((k: { kind: string }) => k.kind)).toEqual(destinationKinds.map(({ kind }) => kind));
    const token = items
      .flatMap((k: { settings: object[] }) => k.settings)
      .find((s: { name: string }) => s.name === 'token');
    expect(token).toMatchObject({ title: 'HEC Token', secret: true, required: true, input: 'secret' });
  });
});

describe('secrets', () => {
  it('are in no answer, no log line, no export and no audit event', async () => {
    await patch({ settings: { token: `${TOKEN}-2` } });
    await patch({ settings: { token: `${TOKEN}-3`, index: 'NOT VALID' } });
    const paths = ['', '/health', '/attempts', '/dead-letters', '/replays'].map((path) => at(`/${id}${path}`));
    const answers = await Promise.all(
      [
        ...paths,
        at(''),
        '/v1/events?limit=1000',
        '/v1/events/export?format=ndjson',
        '/v1/events/export?format=csv',
      ].map(async (path) => (await api.call('GET', path, { key })).text),
    );
    for (const text of [...answers, ...api.logged]) expect(text).not.toContain(TOKEN);
    for (const text of api.logged) expect(text).not.toContain(key);
    expect(JSON.stringify(await api.store.destinations.get(id))).not.toContain(TOKEN);
  });
});
