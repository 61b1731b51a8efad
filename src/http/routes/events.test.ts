import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HttpApi, startHttpApi } from '../../../test/rig/http-api.ts';
import { StoreUnavailable } from '../../store/event-log.ts';

let api: HttpApi;
let key: string;
/** Who sleeps when nobody follows: the sweep of expired sessions. */
const IDLE = 1;
const NUMBERS = Array.from({ length: 7 }, (_, i) => i + 1);

beforeAll(async () => {
  api = await startHttpApi();
  key = await api.key('acme', 'events:write', 'events:read');
  const body = NUMBERS.map((n) => ({
    id: `e${n}`,
    timestamp: `2026-01-0${n}T00:00:00Z`,
    eventType: n % 2 ? 'auth.login.success' : 'auth.login.failure',
    status: n % 2 ? 'success' : 'failure',
    description: n === 3 ? '=HYPERLINK("x")' : `number ${n}`,
    actor: { id: `u${n}`, email: `Person${n}@example.com` },
    context: { ipAddress: `192.0.2.${n}` },
  }));
  await api.call('POST', '/v1/events', { key, body });
});
afterAll(() => api.close());

const get = (path: string, headers: Record<string, string> = {}) => api.call('GET', path, { key, headers });
const LOGINS = 'category=authentication';
const idsOf = (events: { id: string }[]) => events.map(({ id }) => id);
const list = async (query: string) => idsOf((await get(`/v1/events?${LOGINS}&${query}`)).json.events);

describe('GET /v1/events', () => {
  it('gives the newest sequence first, or the oldest', async () => {
    expect(await list('')).toEqual(['e7', 'e6', 'e5', 'e4', 'e3', 'e2', 'e1']);
    expect(await list('order=asc&limit=2')).toEqual(['e1', 'e2']);
  });

  it('pages without repeating or skipping', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json } = await get(`/v1/events?${LOGINS}&limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...idsOf(json.events));
      cursor = json.nextCursor;
    }
    expect(seen).toEqual(['e7', 'e6', 'e5', 'e4', 'e3', 'e2', 'e1']);
  });

  it('filters: repeated parameters are OR, different ones AND; `to` is excluded', async () => {
    expect(await list('actor=u1&actor=person2@example.com')).toEqual(['e2', 'e1']);
    expect(await list('actor=u1&status=failure')).toEqual([]);
    expect(await list('from=2026-01-02&to=2026-01-04T00:00:00Z')).toEqual(['e3', 'e2']);
    expect(await list('ip=192.0.2.4/31')).toEqual(['e5', 'e4']);
    expect(await list('q=NUMBER%206')).toEqual(['e6']);
  });

  it('understands older names of event types', async () => {
    expect(await list('eventType=login.failure')).toEqual(['e6', 'e4', 'e2']);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['from=yesterday', 'from'],
    ['from=2026-01-02&to=2026-01-01', 'from'],
    ['status=maybe', 'status.0'],
    ['ip=here', 'ip'],
    ['order=up', 'order'],
    ['cursor=nonsense', 'cursor'],
    ['catgory=authentication', 'catgory'],
  ])('refuses %s and names the parameter', async (query, path) => {
    expect(await get(`/v1/events?${query}`)).toMatchObject({
      status: 400,
      json: { code: 'invalid_request', errors: [{ path }] },
    });
  });

  it('gives events as they are stored, byte for byte', async () => {
    const stored = (await api.store.log.find('acme', 'e1'))!.json;
    expect((await get('/v1/events/e1')).text).toBe(stored);
    const { last } = await api.store.log.bounds('acme');
    expect((await get('/v1/events?actor=u1')).text).toBe(
      `{"events":[${stored}],"nextCursor":null,"lastSequence":${last}}`,
    );
  });

  it('answers 404 for an event the team does not have', async () => {
    expect(await get('/v1/events/e99')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect(await get('/v1/events/e99/deliveries')).toMatchObject({ status: 404 });
    expect(await get('/v1/events/e1/deliveries')).toMatchObject({ status: 200, json: { items: [], nextCursor: null } });
  });

  it('finds an event by the longest id, percent-encoded', async () => {
    const id = '%+?#'.repeat(32);
    const body = { id, timestamp: '2026-01-01T00:00:00Z', eventType: 'user.created' };
    expect(await api.call('POST', '/v1/events', { key, body })).toMatchObject({ status: 200 });
    expect((await get(`/v1/events/${encodeURIComponent(id)}`)).json).toMatchObject({ id });
  });
});

describe('GET /v1/events/histogram', () => {
  it('counts per bucket and status of the same filter', async () => {
    const { json } = await get(`/v1/events/histogram?${LOGINS}&bucketSeconds=172800&from=2026-01-01&to=2026-01-05`);
    expect(json).toMatchObject({ bucketSeconds: 172_800, success: 2, failure: 2 });
    expect(json.buckets).toEqual([
      { at: '2026-01-01T00:00:00.000Z', success: 1, failure: 1 },
      { at: '2026-01-03T00:00:00.000Z', success: 1, failure: 1 },
    ]);
  });

  it('chooses about 60 buckets over the range, and days over an open one', async () => {
    const bucket = async (query: string) => (await get(`/v1/events/histogram?${query}`)).json.bucketSeconds;
    expect(await bucket('from=2026-01-01T00:00&to=2026-01-01T01:00')).toBe(60);
    expect(await bucket('from=2026-01-01&to=2026-01-31')).toBe(86_400);
    expect(await bucket('')).toBe(86_400);
  });
});

describe('GET /v1/events/export', () => {
  it('gives every matching event as NDJSON, and records who took what before', async () => {
    const { status, headers, text } = await get(`/v1/events/export?format=ndjson&${LOGINS}&order=asc`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    expect(headers.get('content-disposition')).toBe('attachment; filename="audit-log-acme-2026-01-15.ndjson"');
    expect(
      idsOf(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ),
    ).toEqual(NUMBERS.map((n) => `e${n}`));
    const [record] = (await get('/v1/events?eventType=audit.exported')).json.events;
    expect(record).toMatchObject({
      actor: { type: 'service', name: 'test key' },
      metadata: { format: 'ndjson', filter: { category: ['authentication'] }, events: 7 },
    });
  });

  it('gives CSV in which nothing is a formula', async () => {
    const { headers, text } = await get(`/v1/events/export?format=csv&${LOGINS}`);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(text.split('\r\n')).toHaveLength(9);
    expect(text).toContain(`"'=HYPERLINK(`);
  });

  it.each(['asc', 'desc'])(
    'goes over page after page (%s), as the log was when its record was written',
    async (order) => {
      const many = await api.key(`many-${order}`, 'events:write', 'events:read');
      const lines = Array.from({ length: 2500 }, (_, i) =>
        JSON.stringify({ id: `m${i}`, timestamp: '2026-01-01T00:00:00Z', eventType: 'user.created' }),
      );
      const headers = { 'content-type': 'application/x-ndjson' };
      await api.call('POST', '/v1/events', { key: many, body: lines.join('\n'), headers });
      const { text } = await api.call('GET', `/v1/events/export?format=ndjson&order=${order}`, { key: many });
      const exported = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const { json } = await api.call('GET', '/v1/events?eventType=audit.exported', { key: many });
      expect(json.events[0].metadata.events).toBe(exported.length);
      const inOrder = order === 'asc' ? exported : exported.toReversed();
      expect(idsOf(inOrder.slice(-lines.length))).toEqual(lines.map((_, i) => `m${i}`));
    },
  );

  it('gives nothing when its record cannot be kept', async () => {
    const full = await startHttpApi({}, ({ log }) => ({
      log: { ...log, append: async () => Promise.reject(new StoreUnavailable('storage_full', 'no space')) },
    }));
    try {
      const reader = await full.key('acme', 'events:read');
      expect(await full.call('GET', '/v1/events/export?format=csv', { key: reader })).toMatchObject({ status: 503 });
    } finally {
      await full.close();
    }
  });

  it('needs a format', async () => {
    expect(await get('/v1/events/export')).toMatchObject({ status: 400, json: { errors: [{ path: 'format' }] } });
    expect(await get('/v1/events/export?format=xml')).toMatchObject({ status: 400 });
  });
});

/** Follows the live tail; `frame()` gives the next frame. */
function follow(query: string, headers: Record<string, string> = {}) {
  const controller = new AbortController();
  const frames = (async function* () {
    const answer = await fetch(`${api.url}/v1/events/stream${query}`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
      signal: controller.signal,
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop()!;
      yield* parts;
    }
  })();
  return { frame: async () => (await frames.next()).value ?? '', close: () => controller.abort() };
}

describe('GET /v1/categories', () => {
  it('counts the events since a moment, when that is asked', async () => {
    const counts = async (query: string) =>
      Object.fromEntries(
        (await get(`/v1/categories${query}`)).json.items.map((c: { value: string; count?: number }) => [
          c.value,
          c.count,
        ]),
      );
    expect(await counts('')).toMatchObject({ authentication: undefined });
    expect(await counts('?since=2026-01-05')).toMatchObject({ authentication: 3, sso_security: 0 });
    expect((await get('/v1/categories?since=soon')).status).toBe(400);
  });

  it('counts the first hundred only, whatever a producer calls its events', async () => {
    const many = await api.key('many', 'events:write', 'events:read');
    const body = Array.from({ length: 150 }, (_, i) => ({
      ...{ timestamp: '2026-01-06T00:00:00Z', eventType: 'made.up', eventCategory: `category-${i}` },
    }));
    await api.call('POST', '/v1/events', { key: many, body });
    const { items } = (await api.call('GET', '/v1/categories?since=2026-01-05', { key: many })).json;
    expect(items.length).toBeGreaterThan(150);
    expect(items.filter(({ count }: { count?: number }) => count !== undefined)).toHaveLength(100);
  });
});

describe('GET /v1/events/stream', () => {
  const post = (id: string, eventType = 'user.created') =>
    api.call('POST', '/v1/events', { key, body: { id, timestamp: '2026-01-01T00:00:00Z', eventType } });
  const dataOf = (frame: string) => JSON.parse(/^data: (.*)$/m.exec(frame)![1]!);

  it('begins now, and gives each new event with its sequence as id', async () => {
    const tail = follow('');
    expect(await tail.frame()).toBe(': connected');
    const { json } = await post('live-1');
    const frame = await tail.frame();
    expect(frame).toMatch(new RegExp(`^id: ${json.appended[0].firstSequence}\n`));
    expect(dataOf(frame)).toMatchObject({ id: 'live-1' });
    tail.close();
  });

  it('resumes behind Last-Event-ID, which wins over `after`', async () => {
    const { sequence } = (await api.store.log.find('acme', 'e5'))!;
    const tail = follow('?after=1', { 'last-event-id': String(sequence) });
    await tail.frame();
    expect(dataOf(await tail.frame())).toMatchObject({ id: 'e6' });
    expect(dataOf(await tail.frame())).toMatchObject({ id: 'e7' });
    tail.close();
  });

  it('gives only what the filter lets through', async () => {
    const tail = follow('?eventType=user.removed');
    await tail.frame();
    await post('live-2');
    await post('live-3', 'user.removed');
    expect(dataOf(await tail.frame())).toMatchObject({ id: 'live-3' });
    tail.close();
  });

  it('says every 15 s that it is still there, and how far it looked', async () => {
    const tail = follow('?eventType=never');
    await tail.frame();
    const { json } = await post('live-4');
    await vi.waitFor(() => expect(api.clock.sleeping).toBeGreaterThan(IDLE));
    await api.clock.advance(15_000);
    expect(await tail.frame()).toBe(`: still here\nid: ${json.appended[0].lastSequence}`);
    tail.close();
  });

  it('leaves nothing behind when its reader goes', async () => {
    const tail = follow('?eventType=gone');
    await tail.frame();
    await vi.waitFor(() => expect(api.clock.sleeping).toBeGreaterThan(IDLE));
    tail.close();
    await vi.waitFor(() => expect(api.clock.sleeping).toBe(IDLE));
  });

  it('refuses a Last-Event-ID that is no sequence', async () => {
    expect(await get('/v1/events/stream', { 'last-event-id': 'x' })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'Last-Event-ID' }] },
    });
  });

  it('reads no further while its reader does not', async () => {
    const reads: number[] = [];
    const slow = await startHttpApi({}, ({ log }) => ({
      log: {
        ...log,
        // A log without end.
        read: async (team, after) => {
          reads.push(after);
          const json = JSON.stringify({ id: 'x', description: 'y'.repeat(200_000) });
          const at = { timestamp: 0, receivedAt: 0, bytes: json.length };
          return [{ team, sequence: after + 1, id: 'x', eventType: 't', eventCategory: 'c', json, ...at }];
        },
      },
    }));
    try {
      const authorization = `Bearer ${await slow.key('acme', 'events:read')}`;
      const asked = request(`${slow.url}/v1/events/stream?after=0`, { headers: { authorization } });
      await new Promise((resolve) => asked.on('response', (answer) => resolve(answer.pause())).end());
      let before = -1;
      await vi.waitFor(
        () => {
          const isStill = reads.length === before;
          before = reads.length;
          expect(isStill).toBe(true);
        },
        { interval: 200, timeout: 10_000 },
      );
      expect(reads.length).toBeLessThan(200);
      asked.destroy();
    } finally {
      await slow.close();
    }
  });

  it('ends when the server closes', async () => {
    const closing = await startHttpApi();
    const headers = { authorization: `Bearer ${await closing.key('acme', 'events:read')}` };
    const answer = await fetch(`${closing.url}/v1/events/stream?eventType=never`, { headers });
    await closing.close();
    expect(await answer.text()).toBe(': connected\n\n');
  });
});

describe('the vocabulary', () => {
  it('is what is built in, and what the team brought', async () => {
    const body = { timestamp: '2026-01-01T00:00:00Z', eventType: 'gateway.opened', eventCategory: 'gateway' };
    await api.call('POST', '/v1/events', { key, body });
    const { items } = (await get('/v1/categories')).json;
    expect(items.map((c: { value: string }) => c.value)).toEqual([
      'authentication',
      'user_management',
      'sso_security',
      'api_access',
      'administrative',
      'gateway',
    ]);
    expect(items[0]).toEqual({ value: 'authentication', label: 'Authentication', builtIn: true, seen: true });
    const types = (await get('/v1/event-types')).json.items;
    expect(types).toContainEqual({ type: 'gateway.opened', category: null, title: null, aliases: [], seen: true });
    expect(types[0]).toMatchObject({ type: 'auth.login.success', aliases: ['login.success'], seen: true });
  });
});
