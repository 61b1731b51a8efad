import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';

describe('the sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
  });
  afterAll(() => sandbox.close());

  const json = async (path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await fetch(sandbox.url + path, init);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const post = (): Promise<Response> => {
    const { url, settings } = sandbox.standIns.get('splunk')!;
    return fetch(`${url}/services/collector/event`, {
      method: 'POST',
      headers: { authorization: `Splunk ${settings['token']}` },
      body: JSON.stringify({ event: { id: 'e1', hello: 'there' }, index: settings['index'] }),
    });
  };

  it('shows people and programs what each SIEM received', async () => {
    const page = await fetch(sandbox.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain('<title>Trailproof sandbox</title>');
    expect((await post()).status).toBe(200);
    const { body } = await json('/sandbox.json');
    const standIns = body['standIns'] as { kind: string; counts: { distinct: number }; fault: unknown }[];
    expect(standIns.map((s) => s.kind)).toEqual(['splunk', 'elastic', 'qradar', 'sentinel', 'datadog']);
    expect(standIns[0]).toMatchObject({ kind: 'splunk', title: 'Splunk', counts: { distinct: 1 }, fault: null });
    expect(await json('/splunk/received')).toMatchObject({
      body: { items: [{ id: 'e1', event: { hello: 'there' } }] },
    });
  });

  it('makes a SIEM misbehave and behave again, for its own page only', async () => {
    const headers = { 'content-type': 'application/json' };
    const fault = { method: 'PUT', headers, body: '{"kind":"busy"}' };
    expect(await json('/splunk/fault', fault)).toMatchObject({ status: 200 });
    expect(await (await post()).json()).toMatchObject({ code: 9 });
    expect((await json('/splunk/fault', { method: 'DELETE', headers })).status).toBe(200);
    expect((await post()).status).toBe(200);
    expect((await json('/splunk/fault', { method: 'PUT', body: '{"kind":"busy"}' })).status).toBe(415);
    expect((await json('/splunk/fault', { ...fault, body: '{' })).status).toBe(400);
    expect((await json('/nobody/fault', fault)).status).toBe(404);
  });
});
