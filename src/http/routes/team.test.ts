import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpApi, type Person, startHttpApi } from '../../../test/rig/http-api.ts';

let api: HttpApi;
let owner: Person;
beforeAll(async () => {
  api = await startHttpApi();
  owner = await api.person('acme', 'owner');
});
afterAll(() => api.close());

const eventsOf = async (eventType: string, team = 'acme') =>
  (await api.operator('GET', `/v1/events?team=${team}&eventType=${eventType}`)).json.events;
const asOwner = (method: string, path: string, body?: object) =>
  api.call(method, path, { cookie: owner.cookie, ...(body && { body }) });

describe('the team', () => {
  it('changes its settings, each recorded with before and after, and only those', async () => {
    expect((await asOwner('GET', '/v1/team')).json).toMatchObject({
      id: 'acme',
      name: 'acme',
      retentionDays: 365,
      alerts: { mail: true, webhookUrl: null },
    });
    const change = {
      name: 'Acme',
      retentionDays: 90,
      alerts: { mail: false, webhookUrl: ' https://hooks.acme.example/x ' },
    };
    const changed = await asOwner('PATCH', '/v1/team', change);
    const alerts = { mail: false, webhookUrl: 'https://hooks.acme.example/x' };
    expect(changed).toMatchObject({ status: 200, json: { name: 'Acme', retentionDays: 90, alerts } });
    expect((await asOwner('GET', '/v1/team')).json).toEqual(changed.json);
    const [event] = await eventsOf('team.settings.updated');
    expect(event).toMatchObject({ actor: { id: owner.id }, target: { type: 'team', id: 'acme' } });
    expect(event.changes).toEqual({
      previous: { name: 'acme', retentionDays: 365, 'alerts.mail': true, 'alerts.webhookUrl': null },
      current: { name: 'Acme', retentionDays: 90, 'alerts.mail': false, 'alerts.webhookUrl': alerts.webhookUrl },
    });
    // The same again is no change; a part leaves the rest.
    await asOwner('PATCH', '/v1/team', { name: 'Acme' });
    expect(await eventsOf('team.settings.updated')).toHaveLength(1);
    expect((await asOwner('PATCH', '/v1/team', { alerts: { mail: true } })).json.alerts).toEqual({
      ...alerts,
      mail: true,
    });
    expect((await eventsOf('team.settings.updated'))[0].changes).toEqual({
      previous: { 'alerts.mail': false },
      current: { 'alerts.mail': true },
    });
  });

  it.each(['not a url', 'ftp://x.example', 'file:///etc/passwd'])('has no webhook at %s', async (webhookUrl) => {
    expect(await asOwner('PATCH', '/v1/team', { alerts: { webhookUrl } })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'alerts.webhookUrl' }] },
    });
  });

  it('shows a signing secret once, and records only that it changed', async () => {
    await asOwner('PATCH', '/v1/team', { alerts: { webhookUrl: 'https://hooks.acme.example/x' } });
    const { json } = await asOwner('POST', '/v1/team/webhook-secret');
    expect(json.secret).toMatch(/^whsec_/);
    const [event] = await eventsOf('team.settings.updated');
    expect(event.changes.current).toEqual({ 'alerts.webhookSecret': '[changed]' });
    expect(JSON.stringify([event, (await asOwner('GET', '/v1/team')).json])).not.toContain(json.secret);
    expect((await asOwner('POST', '/v1/team/webhook-secret')).json.secret).not.toBe(json.secret);
  });

  it('tests its alerts, and records what came of it', async () => {
    const posts: string[] = [];
    const server = createServer((request, response) => {
      posts.push(String(request.headers['webhook-id']));
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      await asOwner('PATCH', '/v1/team', { alerts: { webhookUrl } });
      expect((await asOwner('POST', '/v1/team/alert-test', { channel: 'webhook' })).json).toMatchObject({ ok: true });
      expect(posts).toHaveLength(1);
      const mail = (await asOwner('POST', '/v1/team/alert-test', { channel: 'mail' })).json;
      expect(mail).toMatchObject({ ok: false, fix: expect.stringContaining('SMTP_URL') });
      expect(await eventsOf('team.alert_tested')).toMatchObject([
        { status: 'failure', failureReason: mail.detail, metadata: { channel: 'mail' } },
        { status: 'success', actor: { id: owner.id }, metadata: { channel: 'webhook' } },
      ]);
    } finally {
      server.close();
    }
  });

  it('ends for everybody at once when it is deleted, and says before what that means', async () => {
    const boss = await api.person('doomed', 'owner', 'boss@doomed.example');
    const elsewhere = await api.person('safe', 'admin', 'boss@doomed.example');
    const key = await api.key('doomed', 'events:write', 'destinations:write');
    const settings = { endpointUrl: 'http://127.0.0.1:9', token: 'hush-4711-hush', index: 'main' };
    const body = { kind: 'splunk', name: 'x', settings };
    const destination = (await api.call('POST', '/v1/destinations', { key, body })).json.id;
    const asBoss = (method: string, path: string, sent?: object) =>
      api.call(method, `${path}?team=doomed`, { cookie: elsewhere.cookie, ...(sent && { body: sent }) });
    const preview = (await asBoss('GET', '/v1/team/deletion')).json;
    expect(preview).toMatchObject({ destinations: 1, waitingEvents: expect.any(Number), members: 1, apiKeys: 1 });
    expect(preview.events).toBe((await api.store.log.bounds('doomed')).last);
    expect(await asBoss('DELETE', '/v1/team', { confirm: 'Doomed' })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'confirm' }] },
    });

    expect((await asBoss('DELETE', '/v1/team', { confirm: 'doomed' })).status).toBe(204);
    expect(await asBoss('GET', '/v1/team')).toMatchObject({ status: 403, json: { code: 'wrong_team' } });
    expect(await api.call('POST', '/v1/events', { key, body: [] })).toMatchObject({ status: 401 });
    expect((await api.operator('GET', `/v1/destinations/${destination}`)).status).toBe(404);
    expect((await api.call('GET', '/v1/session', { cookie: boss.cookie })).json.teams).toMatchObject([{ id: 'safe' }]);
    expect((await eventsOf('team.deleted', '_installation'))[0]).toMatchObject({
      actor: { id: boss.id },
      target: { type: 'team', id: 'doomed' },
    });
    const own = (await api.store.log.read('doomed', 0, { events: 100, bytes: 1_000_000 })).map(({ json }) =>
      JSON.parse(json),
    );
    expect(own.slice(-2).map(({ eventType }) => eventType)).toEqual(['siem.destination.deleted', 'team.deleted']);
    // Its id is never given again.
    expect((await api.operator('POST', '/v1/teams', { id: 'doomed', name: 'x' })).status).toBe(409);
    const installation = '/v1/team?team=_installation';
    const { name } = (await api.operator('GET', installation)).json;
    expect((await api.operator('DELETE', installation, { confirm: name })).json.code).toBe('not_allowed');
  });
});

describe('API keys', () => {
  it('are seen, made and revoked in one’s own team alone', async () => {
    const admin = await api.person('keys', 'admin');
    const asAdmin = (method: string, path: string, body?: object) =>
      api.call(method, path, { cookie: admin.cookie, ...(body && { body }) });
    const foreign = await api.operator('POST', '/v1/api-keys', { name: 'x', team: 'acme', scopes: ['events:read'] });
    await api.operator('POST', '/v1/api-keys', { name: 'all', scopes: ['events:read'] });
    const made = await asAdmin('POST', '/v1/api-keys', { name: 'ci', scopes: ['events:write', 'team:admin'] });
    expect(made).toMatchObject({ status: 201, json: { team: 'keys', key: expect.stringMatching(/^tp_/) } });
    expect((await asAdmin('GET', '/v1/api-keys')).json.items).toMatchObject([{ id: made.json.id, name: 'ci' }]);
    expect((await asAdmin('DELETE', `/v1/api-keys/${foreign.json.id}`)).status).toBe(404);
    const beyond = { name: 'x', scopes: ['events:read'] };
    expect(await asAdmin('POST', '/v1/api-keys', { ...beyond, team: 'acme' })).toMatchObject({ status: 403 });
    expect((await asAdmin('POST', '/v1/api-keys', { ...beyond, team: null })).json.code).toBe('operator_only');

    // A key grants what it holds at most, and nothing of the installation.
    const { key } = made.json;
    expect(await api.call('POST', '/v1/api-keys', { key, body: beyond })).toMatchObject({
      status: 403,
      json: { code: 'missing_scope' },
    });
    const less = { name: 'less', scopes: ['events:write'] };
    expect((await api.call('POST', '/v1/api-keys', { key, body: less })).json).toMatchObject({ team: 'keys' });
    expect((await asAdmin('DELETE', `/v1/api-keys/${made.json.id}`)).status).toBe(204);
    expect((await api.call('GET', '/v1/api-keys', { key })).status).toBe(401);
    expect((await eventsOf('apikey.revoked', 'keys'))[0]).toMatchObject({ actor: { id: admin.id } });
  });
});
