import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpApi, startHttpApi } from '../../../test/rig/http-api.ts';
import type { StandIn } from '../../destinations/destination.ts';
import { destinationKinds } from '../../destinations/registry.ts';

let api: HttpApi;
let standIn: StandIn;
let key: string;
beforeAll(async () => {
  const start = await destinationKinds.find(({ kind }) => kind === 'datadog')!.standIn();
  standIn = await start({ port: 0, host: '127.0.0.1' });
  api = await startHttpApi({}, () => ({ sandbox: new Map([['datadog', standIn]]) }));
  key = await api.key('acme', 'destinations:read', 'destinations:write');
});
afterAll(() => Promise.all([api.close(), standIn.close()]));

const call = (method: string, path: string, body?: object) => api.call(method, path, { key, ...(body && { body }) });

describe('the sandbox', () => {
  it('shows what its stand-ins received', async () => {
    const test = { kind: 'datadog', settings: standIn.settings };
    const tested = await api.call('POST', '/v1/destinations/test', {
      key,
      body: test,
      headers: { accept: 'application/json' },
    });
    expect(tested.json).toMatchObject({ ok: true });
    const { items } = (await call('GET', '/v1/sandbox')).json;
    expect(items).toMatchObject([
      { kind: 'datadog', title: 'Datadog', url: standIn.url, fault: null, counts: { events: 1 } },
    ]);
    const received = (await call('GET', '/v1/sandbox/datadog/received?limit=1')).json.items;
    expect(received).toMatchObject([{ event: { eventType: 'siem.destination.tested', metadata: { test: true } } }]);
    expect((await call('GET', '/v1/sandbox/splunk/received')).status).toBe(404);
    expect((await call('GET', '/v1/session')).json.installation.hasSandbox).toBe(true);
  });

  it('makes them misbehave and behave again', async () => {
    const fault = { kind: 'throttle', requests: 3 };
    expect((await call('PUT', '/v1/sandbox/datadog/fault', fault)).json.fault).toEqual(fault);
    expect(standIn.fault()).toEqual(fault);
    expect((await call('DELETE', '/v1/sandbox/datadog/fault')).json.fault).toBeNull();
    expect((await call('PUT', '/v1/sandbox/datadog/fault', { kind: 'explode' })).status).toBe(400);
  });
});
