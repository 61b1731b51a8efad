import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HttpApi, startHttpApi } from '../../test/rig/http-api.ts';
import { routesOf } from '../../test/rig/routes.ts';
import { PROBLEMS } from '../contract/problem.ts';
import { StoreUnavailable } from '../store/event-log.ts';

let api: HttpApi;
let key: string;
beforeAll(async () => {
  api = await startHttpApi({ METRICS_TOKEN: 'a-token-of-16-and-more' });
  key = await api.key('acme', 'events:read', 'destinations:write');
});
afterAll(() => api.close());

describe('the OpenAPI document', () => {
  const document = async () => (await api.call('GET', '/openapi.json')).json;

  it('is OpenAPI 3.1 and covers every route', async () => {
    const { openapi, paths } = await document();
    expect(openapi).toMatch(/^3\.1\./);
    const inDocument = Object.entries<object>(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(inDocument.sort()).toEqual(
      routesOf(api.app)
        // Pages of people's sign-in are the console's own affair.
        .filter((route) => !/ \/(openapi\.json|api\/auth\/\*)$/.test(route))
        .sort(),
    );
  });

  it('has every schema it refers to, a summary of each call, and problems for what goes wrong', async () => {
    const { paths, components } = await document();
    const references = [...JSON.stringify(paths).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      (m) => m[1]!,
    );
    expect(new Set(references)).toEqual(new Set(Object.keys(components.schemas)));
    for (const operation of Object.values<object>(paths).flatMap((item) => Object.values(item))) {
      expect(operation.summary).toMatch(/\S/);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
    }
  });

  it('lists every problem code', async () => {
    const { components } = await document();
    expect(components.schemas.Problem.properties.code.enum).toEqual(Object.keys(PROBLEMS));
  });
});

describe('what is not there', () => {
  it('is a problem 404, and another method on what is there a 405 that says which', async () => {
    expect(await api.call('GET', '/v2/events', { key })).toMatchObject({ status: 404, json: { code: 'not_found' } });
    const other = await api.call('PUT', '/v1/destinations/x', { key });
    expect(other).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } });
    expect(other.headers.get('allow')!.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH']);
  });

  it('is a problem too where Node or the router gives up', async () => {
    expect(await api.call('GET', '/v1/%zz')).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 .*"code":"headers_too_large"/s,
    );
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"code":"invalid_request"/s);
  });

  it('is a problem too where Node would say nothing, and behind the answers that came before it', async () => {
    expect(await raw('GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*invalid_request/s,
    );
    expect(await raw('GET /healthz HTTP/1.1\r\nhost: x\r\nexpect: x\r\nconnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    const two = await raw(`GET /readyz HTTP/1.1\r\nhost: x\r\n\r\nBROKEN\r\n\r\n`);
    expect(two.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    const body = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`;
    expect(await raw(body)).toMatch(/^HTTP\/1\.1 400 .*"code":"invalid_request"/s);
  });

  it('are bodies other than JSON where JSON is due', async () => {
    const post = (body: string, type: string) =>
      api.call('POST', '/v1/destinations', { key, body, headers: { 'content-type': type } });
    expect(await post('x', 'text/plain')).toMatchObject({ status: 415, json: { code: 'unsupported_media_type' } });
    expect(await post('{"kind":', 'application/json')).toMatchObject({ status: 400, json: { code: 'invalid_body' } });
    expect(await post('', 'application/json')).toMatchObject({
      status: 400,
      json: { code: 'invalid_request', detail: 'the body must be object' },
    });
    expect(await post(`"${'x'.repeat(1_048_576)}"`, 'application/json')).toMatchObject({
      status: 413,
      json: { code: 'body_too_large' },
    });
  });
});

describe('every answer', () => {
  it('carries the security headers and the id of its request', async () => {
    for (const path of ['/healthz', '/v1/events', '/nothing']) {
      const { headers } = await api.call('GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
    const { headers, json } = await api.call('GET', '/v1/events');
    expect(json.requestId).toBe(headers.get('x-request-id'));
  });

  it('is the same for HEAD, without the body', async () => {
    expect(await api.call('HEAD', '/v1/events', { key })).toMatchObject({ status: 200, text: '' });
    expect(await api.call('HEAD', '/v1/events')).toMatchObject({ status: 401, text: '' });
  });
});

describe('/healthz, /readyz and /metrics', () => {
  it('answer', async () => {
    expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(await api.call('GET', '/readyz')).toMatchObject({ status: 200, json: { status: 'ok' } });
  });

  it('tell that nothing can be stored by /readyz alone', async () => {
    const full = await startHttpApi({}, ({ log }) => ({
      log: { ...log, check: async () => Promise.reject(new StoreUnavailable('storage_full', 'no space')) },
    }));
    try {
      expect(await full.call('GET', '/readyz')).toMatchObject({ status: 503, json: { code: 'storage_full' } });
      expect(await full.call('GET', '/healthz')).toMatchObject({ status: 200 });
    } finally {
      await full.close();
    }
  });

  it('give metrics to this machine or with the token, not through a proxy', async () => {
    const metrics = (headers: Record<string, string> = {}) => api.call('GET', '/metrics', { headers });
    expect((await metrics()).text).toContain('trailproof_http_request_duration_seconds');
    const proxied = { 'x-forwarded-for': '203.0.113.9' };
    expect(await metrics(proxied)).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
    expect(await metrics({ ...proxied, authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    expect(await metrics({ ...proxied, authorization: 'Bearer a-token-of-16-and-more' })).toMatchObject({
      status: 200,
    });
  });

  it('name no team in metrics', async () => {
    const all = await api.key('a-team-with-a-name', 'events:write');
    const body = { timestamp: '2026-01-01T00:00:00Z', eventType: 'user.created' };
    await api.call('POST', '/v1/events', { key: all, body });
    expect((await api.call('GET', '/metrics')).text).not.toContain('a-team-with-a-name');
  });
});

describe('addresses of clients', () => {
  const lastAddress = async (of: HttpApi, headers: Record<string, string>) => {
    const reader = await of.key('acme', 'events:read');
    await of.call('GET', '/v1/events', { key: reader, headers });
    await of.keyring.close();
    return (await of.call('GET', '/v1/events?eventType=apikey.used&limit=1', { key: reader, headers })).json.events[0]
      .context.ipAddress;
  };
  const headers = { 'x-forwarded-for': '203.0.113.9' };

  it('come from a proxy only when it is trusted', async () => {
    expect(await lastAddress(api, headers)).toBe('127.0.0.1');
    const behind = await startHttpApi({ TRUSTED_PROXIES: '127.0.0.0/8' });
    try {
      expect(await lastAddress(behind, headers)).toBe('203.0.113.9');
    } finally {
      await behind.close();
    }
  });
});

describe('the control socket', () => {
  it('makes whoever can open it the operator', async () => {
    const operator = await startHttpApi({ TRUSTED_PROXIES: '10.0.0.0/8' }, () => ({ principal: 'operator' }));
    const folder = await mkdtemp(join(tmpdir(), 'trailproof-socket-'));
    const socketPath = join(folder, 'control.sock');
    const served = await operator.serve();
    await served.listen({ path: socketPath });
    const client = new Client('http://operator', { socketPath });
    try {
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' };
      const body = JSON.stringify({ id: 'acme', name: 'Acme' });
      const made = await client.request({ method: 'POST', path: '/v1/teams', headers, body });
      expect(made.statusCode).toBe(201);
      await made.body.dump();
      const read = await client.request({ method: 'GET', path: '/v1/events?team=acme' });
      const { events } = (await read.body.json()) as { events: { eventType: string; context: object }[] };
      expect(events).toMatchObject([{ eventType: 'team.created', actor: { id: 'operator', type: 'system' } }]);
      expect(events[0]!.context).not.toHaveProperty('ipAddress');
    } finally {
      await client.close();
      await served.close();
      await operator.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('a server that stops', () => {
  it('finishes what it has and refuses what comes, as a problem', async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const stopping = await startHttpApi({}, () => ({
      accept: {
        accept: async () => {
          arrived.resolve();
          await release.promise;
          return { accepted: 0, duplicates: 0, rejected: [], appended: [] };
        },
      },
    }));
    const authorization = `authorization: Bearer ${await stopping.key('acme', 'events:write')}`;
    const socket = connect(Number(new URL(stopping.url).port), '127.0.0.1');
    const answers = text(socket);
    const begun = ['POST /v1/events HTTP/1.1', 'host: x', authorization, 'content-type: application/json'];
    socket.write([...begun, 'content-length: 2', '', '[]'].join('\r\n'));
    await arrived.promise;
    const closed = stopping.app.close();
    await vi.waitFor(() => expect(stopping.app.server.listening).toBe(false));
    const late = once(stopping.app.server, 'request');
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await late;
    release.resolve();
    expect(await answers).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 503 .*connection: close.*"code":"shutting_down"/s);
    await closed;
    await stopping.close();
  });
});

/** `METHOD /path/{param}` of each registered route, without HEAD. */
/** The whole answer to bytes that no HTTP client would send. */
function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(bytes));
  return text(socket);
}
