import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallOptions, type HttpApi, startHttpApi } from '../../../test/rig/http-api.ts';
import { Overloaded } from '../../ingest/accept.ts';
import { StoreUnavailable } from '../../store/event-log.ts';

let api: HttpApi;
let key: string;
beforeAll(async () => {
  api = await startHttpApi();
  key = await api.key('acme', 'events:write', 'events:read');
});
afterAll(() => api.close());

const event = (id: string, more: object = {}) => ({
  id,
  timestamp: '2026-01-15T10:30:00.000Z',
  eventType: 'auth.login.success',
  status: 'success',
  ...more,
});
const send = (body: unknown, options: CallOptions = {}) => api.call('POST', '/v1/events', { key, body, ...options });
const NDJSON = { 'content-type': 'application/x-ndjson' };
const TEN_MIB = 10 * 1024 * 1024;
const spaces = (bytes: number) => Buffer.alloc(bytes, ' ');

describe('POST /v1/events', () => {
  it('takes one event, an array and NDJSON, and says where they went', async () => {
    const one = await send(event('one'));
    expect(one).toMatchObject({ status: 200, json: { accepted: 1, duplicates: 0, rejected: [] } });
    const [{ teamId, lastSequence }] = one.json.appended;
    expect(teamId).toBe('acme');
    const two = await send([event('two'), event('three')]);
    expect(two.json.appended).toEqual([
      { teamId: 'acme', firstSequence: lastSequence + 1, lastSequence: lastSequence + 2 },
    ]);
    const lines = `${JSON.stringify(event('four'))}\n${JSON.stringify(event('five'))}\n`;
    expect((await send(lines, { headers: NDJSON })).json).toMatchObject({ accepted: 2 });
    const shouted = { 'content-type': 'Application/X-NDJSON; charset=utf-8' };
    expect((await send(lines, { headers: shouted })).json).toMatchObject({ duplicates: 2 });
  });

  it('answers only what is durable: it can be read at once', async () => {
    await send(event('durable'));
    expect((await api.call('GET', '/v1/events/durable', { key })).json).toMatchObject({ id: 'durable' });
  });

  it('counts what was sent before as duplicates, and that is a success', async () => {
    await send(event('again'));
    expect(await send(event('again'))).toMatchObject({
      status: 200,
      json: { accepted: 0, duplicates: 1, rejected: [], appended: [] },
    });
  });

  it('judges each event alone', async () => {
    const { status, json } = await send([event('good'), { id: 'bad' }, event('good', { description: 'other' })]);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      accepted: 1,
      rejected: [
        { index: 1, id: 'bad' },
        { index: 2, code: 'id_conflict' },
      ],
    });
  });

  it('answers 422, as a problem with the fields of a 200, when nothing was acceptable', async () => {
    const { status, json, headers } = await send([{ id: 'bad' }]);
    expect(status).toBe(422);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(json).toMatchObject({
      code: 'nothing_accepted',
      ...{ accepted: 0, duplicates: 0, appended: [] },
      rejected: [{ index: 0, id: 'bad', code: 'missing_field' }],
    });
  });

  it('takes an empty array for nothing to do', async () => {
    expect(await send([])).toMatchObject({
      status: 200,
      json: { accepted: 0, duplicates: 0, rejected: [], appended: [] },
    });
  });

  it('inflates gzip', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect(await send(gzipSync(JSON.stringify(event('zipped'))), { headers })).toMatchObject({ status: 200 });
  });

  it.each([
    ['an empty body', 400, 'invalid_body', { body: '' }],
    ['JSON that cannot be parsed', 400, 'invalid_body', { body: '{"timestamp":' }],
    ['a body that is not gzip as said', 400, 'invalid_body', { body: '{}', headers: { 'content-encoding': 'gzip' } }],
    ['no key', 401, 'unauthenticated', { key: undefined, body: '[]' }],
    ['a key nobody made', 401, 'unauthenticated', { key: `tp_${'A'.repeat(43)}`, body: '[]' }],
    ['more than 10 MiB', 413, 'body_too_large', { body: spaces(TEN_MIB + 1) }],
    [
      'more than 10 MiB when decompressed',
      413,
      'body_too_large',
      { body: gzipSync(spaces(TEN_MIB + 1)), headers: { 'content-encoding': 'gzip' } },
    ],
    ['more than 10,000 events', 413, 'too_many_events', { body: `[${'{},'.repeat(10_000)}{}]` }],
    ['another content type', 415, 'unsupported_media_type', { body: '[]', headers: { 'content-type': 'text/plain' } }],
    ['another encoding', 415, 'unsupported_encoding', { body: '[]', headers: { 'content-encoding': 'br' } }],
  ] as [string, number, string, CallOptions][])('answers %s with %i %s', async (_, status, code, options) => {
    const answer = await send(undefined, options);
    expect(answer).toMatchObject({ status, json: { code, status } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('takes exactly 10 MiB', async () => {
    const json = Buffer.from(JSON.stringify(event('largest')));
    const body = Buffer.concat([json, spaces(TEN_MIB - json.length)]);
    expect(await send(body)).toMatchObject({ status: 200, json: { accepted: 1 } });
    expect(await send(gzipSync(body), { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 200 });
  });

  it('rejects the unparsable line of NDJSON alone', async () => {
    const { status, json } = await send(`${JSON.stringify(event('line'))}\n{"oh\n`, { headers: NDJSON });
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'invalid_json' }] });
  });

  it('refuses events of another team under the key of a team', async () => {
    const { status, json } = await send(event('foreign', { context: { teamId: 'other' } }));
    expect(status).toBe(422);
    expect(json.rejected[0].code).toBe('team_mismatch');
    expect(await api.call('POST', '/v1/events?team=other', { key, body: [] })).toMatchObject({
      status: 403,
      json: { code: 'wrong_team' },
    });
  });

  it('lets a key of the installation name the team in each event, or once for all', async () => {
    const all = await api.key(null, 'events:write');
    const mixed = [event('m1', { context: { teamId: 'north' } }), event('m1', { context: { teamId: 'south' } })];
    expect((await send(mixed, { key: all })).json.appended).toEqual([
      { teamId: 'north', firstSequence: 1, lastSequence: 1 },
      { teamId: 'south', firstSequence: 1, lastSequence: 1 },
    ]);
    expect((await send([event('m2')], { key: all })).json.rejected[0].code).toBe('team_required');
    const named = await api.call('POST', '/v1/events?team=north', { key: all, body: [event('m2')] });
    expect(named.json).toMatchObject({ accepted: 1, appended: [{ teamId: 'north', firstSequence: 2 }] });
  });
});

describe('POST /v1/events when nothing can be stored', () => {
  it.each([
    ['storage_full', new StoreUnavailable('storage_full', 'no space')],
    ['storage_error', new StoreUnavailable('storage_error', 'no disk')],
    ['overloaded', new Overloaded()],
  ])('answers 503 %s and when to come back', async (code, error) => {
    const full = await startHttpApi({}, () => ({ accept: { accept: async () => Promise.reject(error) } }));
    try {
      const answer = await full.call('POST', '/v1/events', { key: await full.key('acme', 'events:write'), body: [] });
      expect(answer).toMatchObject({ status: 503, json: { code } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await full.close();
    }
  });

  it('tells a bug to the log and not to the caller', async () => {
    const broken = await startHttpApi({}, () => ({
      accept: { accept: async () => Promise.reject(new Error('at /secret/path')) },
    }));
    try {
      const answer = await broken.call('POST', '/v1/events', { key: await broken.key('a', 'events:write'), body: [] });
      expect(answer).toMatchObject({ status: 500, json: { code: 'internal_error' } });
      expect(answer.text).not.toContain('secret');
      expect(
        broken.logged.some((line) => line.includes('at /secret/path') && line.includes(answer.json.requestId)),
      ).toBe(true);
    } finally {
      await broken.close();
    }
  });
});
