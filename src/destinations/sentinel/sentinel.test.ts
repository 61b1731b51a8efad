import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import { createOpenOutbound } from '../../outbound/open-outbound.ts';
import type { Answer, Failure, OutboundRequest } from '../../outbound/outbound.ts';
import { describeDestination } from '../conformance.ts';
import type { CheckStep, Destination, StandIn } from '../destination.ts';
import { sampleEvents } from '../sample-events.ts';
import { parseSettings } from '../settings.ts';
import { sentinel } from './index.ts';
import { type SentinelStandInOptions, startSentinelStandIn } from './stand-in.ts';

describeDestination(sentinel, {
  wrongCredential: { clientSecret: 'wrong' },
  itemVerdicts: false,
  deduplicates: false,
  oversize: 'cut',
  tls: true,
});

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const never = new AbortController().signal;
const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
const closing: (() => Promise<void>)[] = [];
/** The test's time, for the destination; the stand-in keeps its own. */
let now = 0;
const clock: Clock = { ...systemClock, now: () => now };

beforeEach(() => {
  now = systemClock.now();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('the settings', () => {
  const given = {
    tenantId: 'example.onmicrosoft.com',
    clientId: 'client',
    clientSecret: 'secret',
    ingestionEndpoint: 'https://rule-ab12.westeurope-1.ingest.monitor.azure.com',
    dcrImmutableId: 'dcr-0123456789abcdef0123456789abcdef',
    streamName: 'Custom-Audit_CL',
  };
  const parsed = (change: object) => parseSettings(sentinel, { ...given, ...change });

  it.each([
    'rule-ab12.westeurope-1.ingest.monitor.azure.com',
    `${given.ingestionEndpoint}/dataCollectionRules/dcr-1/streams/Custom-A?api-version=2023-01-01`,
  ])('take %s as the endpoint', (ingestionEndpoint) => {
    expect(parsed({ ingestionEndpoint })).toMatchObject({
      ok: true,
      settings: { ingestionEndpoint: given.ingestionEndpoint, authorityHost: 'https://login.microsoftonline.com' },
    });
  });

  it.each([
    ['tenantId', 'my tenant'],
    ['dcrImmutableId', 'my-rule'],
    ['streamName', 'Audit_CL'],
    ['ingestionEndpoint', ''],
  ])('refuse %s: %s', (field, value) => {
    expect(parsed({ [field]: value })).toMatchObject({ ok: false, problems: [{ field }] });
  });

  it.each([
    ['login.microsoftonline.com', 'https://monitor.azure.com/.default'],
    ['login.microsoftonline.us', 'https://monitor.azure.us/.default'],
    ['https://login.partner.microsoftonline.cn/', 'https://monitor.azure.cn/.default'],
    ['https://login.microsoftonline.us/common/oauth2/v2.0/token', 'https://monitor.azure.us/.default'],
    ['https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration', 'https://monitor.azure.com/.default'],
  ])('ask at %s for the scope of its cloud', async (authorityHost, scope) => {
    const result = parsed({ authorityHost });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const requests: OutboundRequest[] = [];
    const destination = sentinel.open(result.settings, {
      clock,
      brand: 'Acme',
      configuredAt: 0,
      openOutbound: () => ({
        async request(request) {
          requests.push(request);
          return UNREACHABLE;
        },
        probe: async () => UNREACHABLE,
        close: async () => undefined,
      }),
    });
    expect(await destination.check(never)).toMatchObject({ kind: 'retry', cause: 'unreachable' });
    const [token] = requests;
    expect(token?.url).toBe(
      `${new URL(authorityHost.replace(/^(?!https)/, 'https://')).origin}/example.onmicrosoft.com/oauth2/v2.0/token`,
    );
    expect(Object.fromEntries(new URLSearchParams(String(token?.body)))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: 'secret',
      scope,
    });
  });
});

describe('the token', () => {
  it('is asked for once by batches sent at the same moment', async () => {
    const { destination, requests } = await started();
    const outcomes = await Promise.all([1, 2, 3].map(() => send(destination)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(routes(requests)).toEqual(['token', 'upload', 'upload', 'upload']);
  });

  it('is used until five minutes before its end', async () => {
    const { destination, requests } = await started({ tokenLifeMs: HOUR_MS });
    const startedAt = now;
    await send(destination);
    now = startedAt + HOUR_MS - 5 * MINUTE_MS - 1;
    await send(destination);
    expect(routes(requests)).toEqual(['token', 'upload', 'upload']);
    now++;
    await send(destination);
    expect(routes(requests).slice(3)).toEqual(['token', 'upload']);
  });

  it('is renewed once when it is refused, and the batch is delivered', async () => {
    const { destination, standIn, requests } = await started();
    await send(destination);
    standIn.setFault({ kind: 'unauthorized', requests: 1 });
    expect(await send(destination)).toMatchObject({ kind: 'delivered' });
    expect(routes(requests)).toEqual(['token', 'upload', 'upload', 'token', 'upload']);
  });

  it('that is refused although it is new means wrong credentials, and is not kept', async () => {
    const { destination, requests } = await started({ tokenLifeMs: 0 });
    expect(await send(destination)).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
    expect(routes(requests)).toEqual(['token', 'upload', 'token', 'upload']);
  });

  it('is waited for no longer than the caller wants, and goes to those who still wait', async () => {
    const { destination, requests } = await started();
    const stop = new AbortController();
    const given = send(destination, 1, stop.signal);
    const waiting = send(destination);
    stop.abort();
    expect(await given).toMatchObject({ kind: 'retry' });
    expect(await waiting).toMatchObject({ kind: 'delivered' });
    expect(routes(requests)).toEqual(['token', 'upload']);
  });
});

describe('permission', () => {
  it('may take half an hour to act after the settings were changed', async () => {
    const { destination, standIn } = await started();
    standIn.setFault({ kind: 'forbidden' });
    const waiting = { kind: 'retry', cause: 'server', retryAfterMs: MINUTE_MS };
    expect(await send(destination)).toMatchObject(waiting);
    expect(await destination.check(never)).toMatchObject(waiting);
    now += 30 * MINUTE_MS;
    const steps: CheckStep[] = [];
    expect(await send(destination)).toMatchObject({ kind: 'misconfigured', cause: 'permission' });
    expect(await destination.check(never, (step) => steps.push(step))).toMatchObject({ cause: 'permission' });
    expect(steps).toMatchObject([
      { name: 'credential', ok: true },
      { name: 'permission', ok: false },
    ]);
  });

  it('is waited for once more when it has just begun to act, since not all of Azure knows it at once', async () => {
    const { destination, standIn } = await started();
    now += 31 * MINUTE_MS;
    standIn.setFault({ kind: 'forbidden', requests: 1 });
    expect(await send(destination)).toMatchObject({ kind: 'misconfigured', cause: 'permission' });
    expect(await destination.check(never)).toMatchObject({ kind: 'delivered' });
    standIn.setFault({ kind: 'forbidden' });
    expect(await send(destination)).toMatchObject({ kind: 'retry', cause: 'server' });
    now += 31 * MINUTE_MS;
    expect(await send(destination)).toMatchObject({ kind: 'misconfigured', cause: 'permission' });
  });

  it('is proved by an endpoint that only finds fault with an empty upload', async () => {
    const { destination, standIn } = await started();
    standIn.setFault({ kind: 'refuse' });
    expect(await destination.check(never)).toMatchObject({ kind: 'delivered' });
  });

  it('is not proved by a rule that declares another stream', async () => {
    const { destination } = await started({}, { streamName: 'Custom-Other_CL' });
    expect(await destination.check(never)).toMatchObject({ kind: 'misconfigured', cause: 'setting' });
  });
});

describe('the stand-in', () => {
  it('stores nothing of an object, although it answers 204', async () => {
    const standIn = await start();
    expect(await post(standIn, '{"id":"a"}')).toMatchObject({ status: 204, body: '' });
    expect(standIn.counts().events).toBe(0);
    expect(await post(standIn, '[{"id":"a"}]')).toMatchObject({ status: 204, body: '' });
    expect(standIn.counts().events).toBe(1);
  });

  it.each([
    ['a body beyond 1,048,576 bytes', `[${' '.repeat(1_048_575)}]`, '', 413, 'ContentLengthLimitExceeded'],
    ['a body that is no JSON', '[', '', 400, 'InvalidPayload'],
    ['an unknown version', '[]', '?api-version=2020', 400, 'InvalidApiVersion'],
    ['an empty body', '', '', 500, 'InternalServerError'],
  ])('refuses %s', async (_what, body, query, status, code) => {
    const answer = await post(await start(), body, query || undefined);
    expect(answer).toMatchObject({ status, headers: { 'x-ms-error-code': code } });
  });

  it('reads the version as the official client writes it', async () => {
    expect(await post(await start(), '[]', '?api%2Dversion=2023-01-01')).toMatchObject({ status: 204 });
  });

  it('replaces the time of old rows and cuts long columns', async () => {
    const standIn = await start();
    const old = new Date(systemClock.now() - 3 * 24 * HOUR_MS).toISOString();
    await post(standIn, JSON.stringify([{ id: 'a', TimeGenerated: old, text: 'x'.repeat(70_000) }]));
    const [row] = standIn.received();
    expect(row?.record).toMatchObject({ TimeGenerated: expect.not.stringContaining(old), text: 'x'.repeat(65_536) });
  });
});

const UNREACHABLE: Failure = {
  kind: 'failure',
  stage: 'connect',
  blocked: false,
  uncertain: false,
  reason: 'login.example.com did not answer',
  code: 'ECONNREFUSED',
};

async function start(options: Partial<SentinelStandInOptions> = {}): Promise<StandIn> {
  const standIn = await startSentinelStandIn({ port: 0, ...options });
  closing.unshift(() => standIn.close());
  return standIn;
}

/** A destination configured at the test's present time, with its requests. */
async function started(options: Partial<SentinelStandInOptions> = {}, change: Record<string, unknown> = {}) {
  const standIn = await start(options);
  const parsed = parseSettings(sentinel, { ...standIn.settings, ...change });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const requests: OutboundRequest[] = [];
  const destination = sentinel.open(parsed.settings, {
    clock,
    brand: 'Acme',
    configuredAt: now,
    openOutbound(given) {
      const outbound = openOutbound(given);
      return {
        ...outbound,
        request(request, signal) {
          requests.push(request);
          return outbound.request(request, signal);
        },
      };
    },
  });
  closing.unshift(() => destination.close());
  return { standIn, destination, requests };
}

async function send(destination: Destination, count = 2, signal = never) {
  return (await destination.prepare(sampleEvents(count, { startAt: now }))).send(signal);
}

function routes(requests: readonly OutboundRequest[]): string[] {
  return requests.map(({ url }) => (url.endsWith('/token') ? 'token' : 'upload'));
}

/** Uploads past the destination, with a token of the stand-in. */
async function post(standIn: StandIn, body: string, query = '?api-version=2023-01-01'): Promise<Answer> {
  const { tenantId, clientId, clientSecret, dcrImmutableId, streamName } = standIn.settings;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: String(clientId),
    client_secret: String(clientSecret),
    scope: 'https://monitor.azure.com//.default',
  });
  const token = await request(`${standIn.url}/${tenantId}/oauth2/v2.0/token`, form.toString(), {});
  const url = `${standIn.url}/dataCollectionRules/${dcrImmutableId}/streams/${streamName}${query}`;
  return request(url, body, { authorization: `Bearer ${JSON.parse(token.body).access_token}` });
}

async function request(url: string, body: string, headers: Record<string, string>): Promise<Answer> {
  const outbound = openOutbound({});
  closing.unshift(() => outbound.close());
  const answer = await outbound.request({ method: 'POST', url, headers, body }, never);
  if (answer.kind === 'failure') throw new Error(answer.reason);
  return answer;
}
