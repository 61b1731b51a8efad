import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { createOpenOutbound } from '../../outbound/open-outbound.ts';
import type { Answer } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import { anyEvents } from '../any-events.ts';
import { describeDestination } from '../conformance.ts';
import type { Destination, Outcome, StandIn } from '../destination.ts';
import { sampleEvent, sampleEvents } from '../sample-events.ts';
import { parseSettings } from '../settings.ts';
import { classifyCheck, classifyPost } from './classify.ts';
import { encodeBatch, overheadBytes } from './encode.ts';
import { splunk } from './index.ts';
import { STAND_IN_TOKENS, startSplunkStandIn } from './stand-in.ts';

const never = new AbortController().signal;
const open: Destination[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((destination) => destination.close()));
});

describeDestination(splunk, {
  wrongCredential: { token: '99999999-9999-9999-9999-999999999999' },
  itemVerdicts: true,
  deduplicates: false,
  oversize: 'cut',
});

describe('encoding for Splunk', () => {
  it('writes the documented envelope, byte for byte', async () => {
    const events = [
      sampleEvent(),
      sampleEvent({ sequence: 2, timestamp: Date.UTC(2026, 0, 15, 10, 30, 1, 5), content: { description: 'Zoë "x"' } }),
      sampleEvent({ sequence: 3, timestamp: -1, content: { actor: undefined } }),
    ];
    const metadata = { host: 'trailproof', source: 'acme', sourcetype: 'acme:audit', index: 'security' };
    const golden = await readFile(new URL('./fixtures/batch.json', import.meta.url), 'utf8');
    expect(encodeBatch(events, metadata, 1_000_000).toString()).toBe(golden);
  });

  it('writes of every event what its text has, and one that is too large cut', () => {
    const metadata = { host: 'h', source: 'Zoë', sourcetype: 't', index: 'i' };
    const room = 5_000 - overheadBytes(metadata);
    fc.assert(
      fc.property(anyEvents, (events) => {
        const texts = events.map(({ json, bytes, timestamp }) => {
          const event = bytes > room ? (truncateEvent(json, room) ?? json) : json;
          return `{"host":"h","source":"Zoë","sourcetype":"t","index":"i","time":${(timestamp / 1000).toFixed(3)},"event":${event}}\n`;
        });
        expect(encodeBatch(events, metadata, 5_000).toString()).toBe(texts.join(''));
      }),
    );
  });
});

describe('what Splunk answers', () => {
  const ids = ['a', 'b', 'c', 'd'];
  const classify = (status: number, body: unknown, plainBytes = 2_000): Outcome =>
    classifyPost(answerOf(status, body), {
      siem: 'Splunk',
      now: 0,
      secrets: [new Secret('top-secret')],
      ids,
      plainBytes,
      index: 'security',
    });

  it.each([
    [200, { text: 'Success', code: 0 }, { kind: 'delivered' }],
    [200, { text: 'Success', code: 0, ackId: 7 }, { kind: 'delivered' }],
    [403, { text: 'Token disabled', code: 1 }, { kind: 'misconfigured', cause: 'credential' }],
    [401, { text: 'Token is required', code: 2 }, { kind: 'misconfigured', cause: 'credential' }],
    [401, { text: 'Invalid authorization', code: 3 }, { kind: 'misconfigured', cause: 'credential' }],
    [403, { text: 'Invalid token', code: 4 }, { kind: 'misconfigured', cause: 'credential' }],
    [400, { text: 'No data', code: 5 }, { kind: 'misconfigured', cause: 'setting' }],
    [400, { text: 'Invalid data format', code: 6 }, { kind: 'refused' }],
    [500, { text: 'Internal server error', code: 8 }, { kind: 'retry', cause: 'server', uncertain: true }],
    [503, { text: 'Server is busy', code: 9 }, { kind: 'throttled', taken: [] }],
    [400, { text: 'Data channel is missing', code: 10 }, { kind: 'misconfigured', cause: 'setting' }],
    [400, { text: 'Invalid data channel', code: 11 }, { kind: 'misconfigured', cause: 'setting' }],
    [400, { text: 'ACK is disabled', code: 14 }, { kind: 'misconfigured', cause: 'setting' }],
    [400, { text: 'Query string authorization is not enabled', code: 16 }, { kind: 'misconfigured' }],
    [503, { text: 'HEC is unhealthy, queues are full', code: 18 }, { kind: 'throttled' }],
    [503, { text: 'HEC is unhealthy, ack service unavailable', code: 19 }, { kind: 'throttled' }],
    [503, { text: 'HEC is unhealthy', code: 20 }, { kind: 'throttled' }],
    [400, { text: 'Invalid token', code: 21 }, { kind: 'misconfigured', cause: 'credential' }],
    [400, { text: 'Token disabled', code: 22 }, { kind: 'misconfigured', cause: 'credential' }],
    [503, { text: 'Server is shutting down', code: 23 }, { kind: 'retry', cause: 'server' }],
    [200, { text: 'HEC queue is approaching its capacity limit', code: 24 }, { kind: 'delivered', warning: /24/ }],
    [200, { text: 'HEC ACK is approaching its capacity limit', code: 25 }, { kind: 'delivered', warning: /25/ }],
    [429, { text: 'HEC queue is at capacity', code: 26 }, { kind: 'throttled' }],
    [429, { text: 'HEC ACK channel is at capacity', code: 27 }, { kind: 'throttled' }],
    [400, { text: 'Data channel is missing. If you have …', code: 28 }, { kind: 'misconfigured', cause: 'setting' }],
    [404, { text: 'The requested URL was not found', code: 404 }, { kind: 'misconfigured', cause: 'setting' }],
    [413, 'too large', { kind: 'refused', tooLarge: true }],
    [200, '<html>Splunk Web</html>', { kind: 'misconfigured', cause: 'setting' }],
    [200, 'ok', { kind: 'misconfigured', cause: 'setting' }],
    [500, { text: 'Success', code: 0 }, { kind: 'retry', cause: 'server' }],
    [303, '', { kind: 'misconfigured', cause: 'setting' }],
  ])('means, with %s %j, %j', (status, body, expected) => {
    const outcome = classify(status, body);
    const { warning, ...rest } = expected as { warning?: RegExp };
    expect(outcome).toMatchObject({ ...rest, status });
    if (warning) expect(outcome).toMatchObject({ warning: expect.stringMatching(warning) });
    else expect(outcome).not.toHaveProperty('warning');
  });

  it.each([6, 12, 13, 15])('rejects the event that code %i names, and sends only those after it again', (code) => {
    const body = { text: 'no', code, 'invalid-event-number': 1 };
    expect(classify(400, body)).toMatchObject({ kind: 'partial', rejected: [{ id: 'b' }], again: ['c', 'd'] });
    expect(classify(400, { ...body, 'invalid-event-number': 9 })).toMatchObject({ kind: 'refused' });
  });

  it('takes "Invalid data format" of event 0 in a body of the size we send for a size limit', () => {
    const body = { text: 'Invalid data format', code: 6, 'invalid-event-number': 0 };
    expect(classify(400, body, 100_001)).toMatchObject({ kind: 'refused', tooLarge: true });
    expect(classify(400, body, 100_000)).toMatchObject({ kind: 'partial', rejected: [{ id: 'a' }] });
  });

  it.each<[number: unknown, taken: string[]]>([
    [0, []],
    [1, []],
    [3, ['a', 'b']],
    [4, ['a', 'b', 'c']],
    ...[6, 99, -1, 1.5, '3', null, {}].map((number): [unknown, string[]] => [number, []]),
  ])('reads the number %j of "Incorrect index" as one too many', (number, taken) => {
    const outcome = classify(400, { text: 'Incorrect index', code: 7, 'invalid-event-number': number });
    expect(outcome).toMatchObject({ kind: 'misconfigured', cause: 'setting', taken });
    expect(outcome).toMatchObject({ fix: expect.stringContaining('“security”') });
  });

  it.each<[number: unknown, taken: string[]]>([
    [0, []],
    [2, ['a', 'b']],
    [3, ['a', 'b', 'c']],
    ...[5, 99, -1, 1.5, '2', null].map((number): [unknown, string[]] => [number, []]),
  ])('knows that events before the number %j of "Server is busy" were taken', (number, taken) => {
    const outcome = classify(503, { text: 'Server is busy', code: 9, 'invalid-event-number': number });
    expect(outcome).toMatchObject({ kind: 'throttled', taken });
  });

  it.each([
    [0, ['a'], ['b', 'c', 'd']],
    [3, ['d'], []],
  ])('rejects the event at the edge %i alone', (number, rejected, again) => {
    const outcome = classify(400, { text: 'no', code: 12, 'invalid-event-number': number });
    expect(outcome).toMatchObject({ kind: 'partial', rejected: rejected.map((id) => ({ id })), again });
  });

  it.each([4, -1, 0.5, '1', null])('takes no event for the culprit when the number is %j', (number) => {
    expect(classify(400, { text: 'no', code: 12, 'invalid-event-number': number })).toMatchObject({ kind: 'refused' });
  });

  it('goes by the code whatever the text is', () => {
    expect(classify(403, { text: null, code: 4 })).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
    expect(classify(503, { text: 'HEC queue is approaching its capacity limit', code: 24 }).kind).toBe('throttled');
  });

  it.each([
    [400, 5, 'delivered'],
    [400, 6, 'delivered'],
    [400, 12, 'delivered'],
    [400, 13, 'delivered'],
    [400, 10, 'misconfigured'],
    [403, 4, 'misconfigured'],
    [503, 9, 'throttled'],
  ])('of an empty body means, with %i and code %i, %s', (status, code, kind) => {
    const facts = { siem: 'Splunk', now: 0, secrets: [], ids: [], plainBytes: 0, index: 'security' };
    expect(classifyCheck(answerOf(status, { text: '', code }), facts).kind).toBe(kind);
  });

  it('does not repeat the token that an answer repeats', () => {
    expect(JSON.stringify(classify(400, { text: 'bad top-secret', code: 6 }))).not.toContain('top-secret');
  });
});

describe('a Splunk destination', () => {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startSplunkStandIn({ port: 0 });
  });
  beforeEach(() => {
    standIn.setFault(null);
    standIn.reset();
  });
  afterAll(() => standIn.close());

  it.each(['', '/', '/services/collector', '/services/collector/event', '/services/collector/event/1.0'])(
    'accepts the endpoint with “%s” and a token with its scheme',
    async (path) => {
      const endpointUrl = standIn.url + path;
      const destination = openSplunk({ endpointUrl, token: `Splunk ${STAND_IN_TOKENS.plain}`, index: 'audit' });
      expect(await deliver(destination)).toMatchObject({ kind: 'delivered' });
    },
  );

  it.each(['Splunk ', 'splunk  ', 'Bearer ', 'Authorization: Splunk '])(
    'takes a token pasted with “%s”',
    async (scheme) => {
      const token = scheme + STAND_IN_TOKENS.plain;
      expect(await deliver(openSplunk({ endpointUrl: standIn.url, token, index: 'audit' }))).toMatchObject({
        kind: 'delivered',
      });
    },
  );

  it.each(['a\r\nX-Injected: b', 'tökén', 'a\u0000b'])('refuses the token %j, beside its field', (token) => {
    expect(parseSettings(splunk, { endpointUrl: standIn.url, token, index: 'audit' })).toEqual({
      ok: false,
      problems: [{ field: 'token', message: 'must be printable ASCII characters' }],
    });
  });

  it('finds out by itself that a token wants a channel, and waits for the confirmation', async () => {
    const clock = testClock();
    const token = STAND_IN_TOKENS.acknowledging;
    const destination = openSplunk({ endpointUrl: standIn.url, token, index: 'audit' }, clock);
    const order: string[] = [];
    const batch = await destination.prepare(sampleEvents(3));
    const outcome = await batch.send(never, () => order.push('accepted'));
    order.push(outcome.kind);
    expect(order).toEqual(['accepted', 'delivered']);
    // The refused post, the post, and two questions: the first is answered "not yet".
    expect(standIn.counts()).toMatchObject({ requests: 4, distinct: 3, duplicates: 0 });
    expect(clock.slept).toEqual([500, 1000]);
    expect(await destination.check(never)).toMatchObject({ kind: 'delivered' });
  });

  it.each([
    ['Acme, Inc.', 'acme_inc'],
    ['日本', 'trailproof'],
    ['x'.repeat(300), 'x'.repeat(100)],
  ])('writes the brand %s as source and source type', async (brand, source) => {
    const given = { endpointUrl: standIn.url, token: STAND_IN_TOKENS.plain, index: 'audit' };
    expect(await deliver(openSplunk(given, systemClock, brand))).toMatchObject({ kind: 'delivered' });
    expect(standIn.received()[0]?.record).toMatchObject({ source, sourcetype: `${source}:audit` });
  });

  it('delivers to a disabled token nothing, and says where to enable it', async () => {
    const token = STAND_IN_TOKENS.disabled;
    const destination = openSplunk({ endpointUrl: standIn.url, token, index: 'audit' });
    expect(await destination.check(never)).toMatchObject({
      kind: 'misconfigured',
      fix: expect.stringContaining('Global Settings'),
    });
    expect(standIn.counts().events).toBe(0);
  });
});

describe('a Splunk destination behind odd servers', () => {
  const servers: (() => void)[] = [];
  afterEach(() => {
    for (const close of servers.splice(0)) close();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('sends an unconfirmed post once more, and then believes the answer with a warning', async () => {
    const endpointUrl = await serve((request, response) => {
      request.resume();
      response.end(request.url?.includes('/ack') ? '{"acks":{"0":false}}' : '{"text":"Success","code":0,"ackId":0}');
    });
    const clock = testClock();
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit', acknowledge: true }, clock);
    expect(await deliver(destination)).toMatchObject({ kind: 'retry', cause: 'server', uncertain: true });
    expect(clock.now()).toBeGreaterThanOrEqual(300_000);
    expect(await deliver(destination)).toMatchObject({
      kind: 'delivered',
      warning: expect.stringContaining('never confirmed'),
    });
    expect(await deliver(destination)).toMatchObject({ kind: 'retry' });
  });

  it('waits for the confirmation of what was taken before a refused event', async () => {
    let confirms = false;
    const refusal = '{"text":"Event field is required","code":12,"invalid-event-number":2,"ackId":0}';
    const endpointUrl = await serve((request, response) => {
      request.resume();
      if (request.url?.includes('/ack')) return response.end(`{"acks":{"0":${confirms}}}`);
      response.writeHead(400).end(refusal);
    });
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit', acknowledge: true }, testClock());
    expect(await deliver(destination)).toMatchObject({ kind: 'retry', uncertain: true });
    confirms = true;
    expect(await deliver(destination)).toMatchObject({ kind: 'partial', rejected: [{ id: 'sample-team-1-3' }] });
  });

  it('stops waiting for a confirmation when told to', async () => {
    const stop = new AbortController();
    const endpointUrl = await serve((request, response) => {
      request.resume();
      if (request.url?.includes('/ack')) stop.abort();
      response.end(request.url?.includes('/ack') ? '{"acks":{"0":false}}' : '{"text":"Success","code":0,"ackId":0}');
    });
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit', acknowledge: true }, testClock());
    const batch = await destination.prepare(sampleEvents(1));
    expect(await batch.send(stop.signal)).toMatchObject({ kind: 'retry', uncertain: true });
  });

  it('takes a post for delivered when acknowledgement was switched off meanwhile', async () => {
    const endpointUrl = await serve((request, response) => {
      request.resume();
      if (!request.url?.includes('/ack')) return response.end('{"text":"Success","code":0,"ackId":0}');
      response.writeHead(400).end('{"text":"ACK is disabled","code":14}');
    });
    const clock = testClock();
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit', acknowledge: true }, clock);
    expect(await deliver(destination)).toMatchObject({ kind: 'delivered' });
    expect(clock.slept).toEqual([500]);
  });

  it('returns the cookies of a load balancer, so that the indexer that holds the post is asked', async () => {
    const cookies: (string | undefined)[] = [];
    const endpointUrl = await serve((request, response) => {
      request.resume();
      cookies.push(request.headers.cookie);
      response.setHeader('set-cookie', ['AWSALB=indexer-1; Path=/; HttpOnly', 'other=2']);
      response.end(request.url?.includes('/ack') ? '{"acks":{"0":true}}' : '{"text":"Success","code":0,"ackId":0}');
    });
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit', acknowledge: true }, testClock());
    expect(await deliver(destination)).toMatchObject({ kind: 'delivered' });
    expect(cookies).toEqual([undefined, 'AWSALB=indexer-1; other=2']);
  });

  it('opens another channel when one is full', async () => {
    const channels: unknown[] = [];
    const endpointUrl = await serve((request, response) => {
      request.resume();
      channels.push(request.headers['x-splunk-request-channel']);
      response.writeHead(429).end('{"text":"HEC ACK channel is at capacity","code":27}');
    });
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit', acknowledge: true });
    expect(await deliver(destination)).toMatchObject({ kind: 'throttled' });
    await deliver(destination);
    expect(new Set(channels).size).toBe(2);
  });

  it('stops compressing for a server that refuses gzip', async () => {
    const codings: (string | undefined)[] = [];
    const endpointUrl = await serve((request, response) => {
      request.resume();
      codings.push(request.headers['content-encoding']);
      if (request.headers['content-encoding']) response.writeHead(415).end('<html>Unsupported</html>');
      else response.end('{"text":"Success","code":0}');
    });
    const destination = openSplunk({ endpointUrl, token: 't', index: 'audit' });
    expect(await deliver(destination)).toMatchObject({ kind: 'delivered' });
    expect(await deliver(destination)).toMatchObject({ kind: 'delivered' });
    expect(codings).toEqual(['gzip', undefined, undefined]);
  });
});

describe('the Splunk stand-in', () => {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startSplunkStandIn({ port: 0 });
  });
  beforeEach(() => standIn.reset());
  afterAll(() => standIn.close());

  async function ask(body: string, headers: Readonly<Record<string, string>> = {}, path = '/services/collector') {
    const outbound = createOpenOutbound({ network: 'any', allowHttp: true })({});
    const authorization = `Splunk ${STAND_IN_TOKENS.plain}`;
    const answer = await outbound.request(
      { method: 'POST', url: standIn.url + path, headers: { authorization, ...headers }, body },
      never,
    );
    await outbound.close();
    if (answer.kind === 'failure') throw new Error(answer.reason);
    return [answer.status, JSON.parse(answer.body)];
  }
  const event = (id: string): string => JSON.stringify({ event: { id } });

  it.each([
    ['objects without separator', event('a') + event('b'), ['a', 'b']],
    ['objects with white space', `${event('a')} \n\n ${event('b')}\n`, ['a', 'b']],
    ['one array of objects', `[${event('a')},${event('b')}]`, ['a', 'b']],
    ['braces and quotes in strings', '{"event":{"id":"a","x":"}{\\"}"}}{"event":{"id":"b"}}', ['a', 'b']],
    ['time as text', '{"time":"1700000000.123","event":{"id":"a"}}', ['a']],
    ['a metric shape', `{"fields":{"a":"1"}}${event('b')}`, ['b']],
    [
      'an unknown key, which ends the body in silence',
      `${event('a')}{"event":{"id":"b"},"team":1}${event('c')}`,
      ['a'],
    ],
  ])('takes %s', async (_what, body, ids) => {
    expect(await ask(body)).toEqual([200, { text: 'Success', code: 0 }]);
    expect([...standIn.ids().keys()]).toEqual(ids);
  });

  it.each([
    ['an empty body', '', 5, undefined],
    ['an unknown key alone', '{"event":{"id":"a"},"team":1}', 5, undefined],
    ['no event', `${event('a')}{"time":1}${event('c')}`, 12, 1],
    ['a blank event', `${event('a')}{"event":""}${event('c')}`, 13, 1],
    ['broken JSON', `${event('a')}{"event":`, 6, 1],
    ['no object at all', 'hello', 6, 0],
    ['what is no object between two', `${event('a')} 5 ${event('c')}`, 6, 1],
    ['what is no object at the end', `${event('a')},`, 6, 1],
    ['an exponent in time', `${event('a')}{"time":1.79E9,"event":{"id":"b"}}`, 15, 1],
    ['nested fields', `${event('a')}{"event":{"id":"b"},"fields":{"x":{}}}`, 15, 1],
    ['an index that is not allowed, off by one', `${event('a')}{"event":{"id":"b"},"index":"no"}${event('c')}`, 7, 2],
  ])('refuses %s and has indexed what stood before', async (_what, body, code, number) => {
    const [status, answer] = await ask(body);
    expect([status, answer.code, answer['invalid-event-number']]).toEqual([400, code, number]);
    expect([...standIn.ids().keys()]).toEqual(body.startsWith(event('a')) ? ['a'] : []);
  });

  it.each([
    ['no token', { authorization: '' }, '', [401, 3]],
    ['another scheme', { authorization: 'Bearer x' }, '', [401, 3]],
    ['an unknown token', { authorization: 'Splunk nope' }, '', [403, 4]],
    ['Basic with the token as password', { authorization: basic(STAND_IN_TOKENS.plain) }, '', [200, 0]],
  ])('answers %s as Splunk does', async (_what, headers, query, expected) => {
    const [status, { code }] = await ask(event('a'), headers, `/services/collector/event/1.0${query}`);
    expect([status, code]).toEqual(expected);
  });

  it.each(['gzip', 'GZIP', 'identity'])('takes a body in the coding %s, and no other', async (coding) => {
    const body = /gzip/i.test(coding) ? gzipSync(event('a')) : event('a');
    const post = (headers: Record<string, string>) =>
      fetch(`${standIn.url}/services/collector`, {
        method: 'POST',
        headers: { authorization: `Splunk ${STAND_IN_TOKENS.plain}`, ...headers },
        body,
      });
    expect((await post({ 'content-encoding': coding })).status).toBe(200);
    expect((await post({ 'content-encoding': 'deflate' })).status).toBe(415);
    expect(standIn.counts().events).toBe(1);
  });

  it('tells its health without a token', async () => {
    const health = `${standIn.url}/services/collector/health`;
    expect(await (await fetch(health)).json()).toEqual({ text: 'HEC is healthy', code: 17 });
    expect((await fetch(health, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(health, { method: 'OPTIONS' })).headers.get('allow')).toBe('GET,HEAD,OPTIONS');
  });

  it('keeps confirmations apart by channel and forgets what it reported', async () => {
    const authorization = `Splunk ${STAND_IN_TOKENS.acknowledging}`;
    const [mine, other] = ['11111111-0000-0000-0000-000000000001', '11111111-0000-0000-0000-000000000002'];
    const on = (channel: string) => ({ authorization, 'x-splunk-request-channel': channel });
    expect(await ask(event('a'), on(mine))).toEqual([200, { text: 'Success', code: 0, ackId: 0 }]);
    const acks = async (channel: string) => (await ask('{"acks":[0]}', on(channel), '/services/collector/ack'))[1].acks;
    expect(await acks(other)).toEqual({ 0: false });
    expect(await acks(mine)).toEqual({ 0: false });
    expect(await acks(mine)).toEqual({ 0: true });
    expect(await acks(mine)).toEqual({ 0: false });
    expect(await ask('{"acks":[0]}', {}, '/services/collector/ack')).toMatchObject([400, { code: 14 }]);
    expect(await ask(event('a'), { authorization })).toMatchObject([400, { code: 10 }]);
    expect(await ask(event('a'), on('no-guid'))).toMatchObject([400, { code: 11 }]);
  });
});

function openSplunk(
  settings: Readonly<Record<string, unknown>>,
  clock: Clock = systemClock,
  brand = 'Acme',
): Destination {
  const parsed = parseSettings(splunk, settings);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
  const destination = splunk.open(parsed.settings, { openOutbound, clock, brand, configuredAt: 0 });
  open.push(destination);
  return destination;
}

async function deliver(destination: Destination): Promise<Outcome> {
  return (await destination.prepare(sampleEvents(10))).send(never);
}

/** Time passes only by sleeping. */
function testClock(): Clock & { readonly slept: readonly number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => slept.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms) => void slept.push(ms),
  };
}

function answerOf(status: number, body: unknown): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answer', status, headers: {}, setCookies: [], body: text, bodyCut: false };
}

function basic(password: string): string {
  return `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;
}
