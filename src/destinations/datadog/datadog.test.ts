import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { createOpenOutbound } from '../../outbound/open-outbound.ts';
import type { Answer, Failure, OutboundRequest, Probe } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import { ANY_EVENTS_AT, anyEvents } from '../any-events.ts';
import { describeDestination } from '../conformance.ts';
import type { CheckStep, Destination } from '../destination.ts';
import { sampleEvent, sampleEvents } from '../sample-events.ts';
import { parseSettings } from '../settings.ts';
import { classifyIntake, classifyValidation } from './classify.ts';
import { encodeLogs, LARGEST_LOG, overheadBytes } from './encode.ts';
import { datadog } from './index.ts';
import { startDatadogStandIn } from './stand-in.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 15, 11);
const FRAMING = { source: 'acme', service: 'audit-log', tags: 'env:prod,team:security' };
const never = new AbortController().signal;

describeDestination(datadog, {
  wrongCredential: { apiKey: 'another-key' },
  itemVerdicts: false,
  deduplicates: false,
  oversize: 'cut',
  tls: true,
});

describe('the body', () => {
  it('is batch.json, byte for byte', async () => {
    const batch = [
      sampleEvent({ content: { description: 'Ana\u0007 signed\nin' } }),
      sampleEvent({
        sequence: 2,
        eventType: 'auth.login.failure',
        content: { status: 'failure', failureReason: 'invalid_credentials', actor: { id: 'user-2' } },
      }),
      sampleEvent({
        sequence: 3,
        timestamp: NOW - 24 * HOUR,
        content: { actor: undefined, context: { teamId: 'team-1' } },
      }),
    ];
    await expect(encodeLogs(batch, FRAMING, NOW).toString()).toMatchFileSnapshot('fixtures/batch.json');
  });

  it('has of every event what parsing it gives, whatever order its fields have', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const texts = events.map((event) => textOf(event, ANY_EVENTS_AT));
        expect(encodeLogs(events, FRAMING, ANY_EVENTS_AT).toString()).toBe(`[${texts.join(',\n')}]`);
      }),
      { numRuns: 500 },
    );
  });

  const context = { teamId: 'acme' };
  it.each([
    ['description', { context, description: 'later' }],
    ['reason', { context, failureReason: 'later' }],
    ['actor', { context, actor: { id: 'later' } }],
    ['address', { context: { ...context, sessionId: 's', ipAddress: '192.0.2.1' } }],
    ['name', { actor: { email: 'ana@example.com', name: 'Ana', id: 'u' }, context }],
    ['address before its team', { context: { ipAddress: '192.0.2.1', ...context } }],
    ['escape', { description: 'a "b"', context }],
    ['control character', { description: 'a\u007fb', actor: { name: 'c\u0085d' }, context }],
  ])('reads the %s wherever it stands', (_what, rest) => {
    const event = sampleEvent();
    const { actor: _, context: __, ...head } = JSON.parse(event.json);
    const json = JSON.stringify({ ...head, status: 'failure', ...rest });
    const moved = { ...event, json, bytes: Buffer.byteLength(json) };
    expect(encodeLogs([moved], FRAMING, NOW).toString()).toBe(`[${textOf(moved, NOW)}]`);
  });

  it.each([-6_000, -28, 0, 1, 2_000])('cuts an event only when Datadog would cut it: %i bytes', (more) => {
    const described = (length: number) => sampleEvent({ content: { description: 'x'.repeat(length) } });
    const fits = LARGEST_LOG - Buffer.byteLength(textOf(described(1_000), NOW)) + 1_000;
    const event = described(fits + more);
    const body = encodeLogs([event], FRAMING, NOW).toString();
    expect(body === `[${textOf(event, NOW)}]`).toBe(true);
    expect(body.includes('"truncated"')).toBe(more > 0);
  });

  it.each([
    ['17 hours ago', -17 * HOUR, true],
    ['earlier', -17 * HOUR - 1, false],
    ['in an hour', HOUR, true],
    ['later', HOUR + 1, false],
  ])('keeps within the time window an event of %s, and its own time in any case', (_when, offset, isKept) => {
    const time = new Date(NOW + offset).toISOString();
    expect(logsOf([sampleEvent({ timestamp: NOW + offset })], NOW)).toMatchObject([
      { timestamp: isKept ? time : new Date(NOW).toISOString(), evt: { time }, audit: { timestamp: time } },
    ]);
  });

  it('says success and failure as log levels, never as words that Datadog reads as emergency', () => {
    const levels = ['success', 'failure'].map(
      (status) => logsOf([sampleEvent({ content: { status } })], NOW)[0]?.status,
    );
    expect(levels).toEqual(['info', 'warn']);
  });

  it('adds no more to an event than its limits say', () => {
    const name = '日\n'.repeat(4_000);
    const content = {
      description: name,
      actor: { id: name, email: name, name },
      context: { ipAddress: name, teamId: 't' },
    };
    const event = sampleEvent({ id: '"'.repeat(128), eventType: name, eventCategory: name, content });
    const body = encodeLogs([event], FRAMING, NOW + 24 * HOUR);
    expect(body.length - event.bytes).toBeLessThanOrEqual(overheadBytes(FRAMING));
  });
});

describe('answers of the intake', () => {
  it.each([
    [200, {}, { kind: 'delivered' }],
    [202, {}, { kind: 'delivered' }],
    [302, {}, { kind: 'misconfigured', cause: 'setting' }],
    [400, {}, { kind: 'refused' }],
    [401, {}, { kind: 'misconfigured', cause: 'credential', fix: expect.stringContaining('site') }],
    [403, {}, { kind: 'misconfigured', cause: 'credential', fix: expect.stringContaining('site') }],
    [404, {}, { kind: 'misconfigured', cause: 'setting' }],
    [408, {}, { kind: 'retry', cause: 'server', uncertain: true }],
    [413, {}, { kind: 'refused', tooLarge: true }],
    [429, {}, { kind: 'throttled' }],
    [429, { 'retry-after': '7' }, { kind: 'throttled', retryAfterMs: 7_000 }],
    [429, { 'x-ratelimit-reset': '9' }, { kind: 'throttled', retryAfterMs: 9_000 }],
    [429, { 'retry-after': '7', 'x-ratelimit-reset': '9' }, { kind: 'throttled', retryAfterMs: 7_000 }],
    [500, {}, { kind: 'retry', cause: 'server', uncertain: true }],
    [503, {}, { kind: 'retry', cause: 'server', uncertain: true }],
  ])('%d %o means what the README says', (status, headers, expected) => {
    expect(classifyIntake(answer({ status, headers }), FACTS)).toMatchObject({ ...expected, status });
  });

  it.each([200, 202, 403])('%d with a web page is not Datadog', (status) => {
    const page = answer({ status, body: '<html><body>Sign in</body></html>' });
    expect(classifyIntake(page, FACTS)).toMatchObject({ kind: 'misconfigured', cause: 'setting' });
  });

  it('shows no key that an answer repeats', () => {
    const outcome = classifyIntake(answer({ status: 403, body: '{"errors":[{"detail":"s3cret"}]}' }), FACTS);
    expect(outcome.answer).toBe('{"errors":[{"detail":"[secret]"}]}');
  });
});

describe('answers of the key validation', () => {
  it.each([
    [200, '{"valid":true}', { kind: 'delivered' }],
    [200, '{"valid":false}', { kind: 'misconfigured', cause: 'credential' }],
    [200, 'ok', undefined],
    [404, '', undefined],
    [405, '', undefined],
    [403, '{"errors":["Forbidden"]}', { kind: 'misconfigured', cause: 'credential' }],
    [429, '', { kind: 'throttled' }],
    [500, '', { kind: 'retry' }],
  ])('%d %s', (status, body, expected) => {
    const outcome = classifyValidation(answer({ status, body }), FACTS);
    if (expected) expect(outcome).toMatchObject(expected);
    else expect(outcome).toBeUndefined();
  });
});

describe('settings', () => {
  it.each([
    ['datadoghq.eu', 'https://http-intake.logs.datadoghq.eu'],
    ['us5.datadoghq.com', 'https://http-intake.logs.us5.datadoghq.com'],
    ['https://app.datadoghq.com/organization-settings/api-keys', 'https://http-intake.logs.datadoghq.com'],
    ['https://api.us3.datadoghq.com/', 'https://http-intake.logs.us3.datadoghq.com'],
    ['https://us2.ddog-gov.com', 'https://http-intake.logs.us2.ddog-gov.com'],
    ['https://http-intake.logs.ap1.datadoghq.com/api/v2/logs?ddsource=x', 'https://http-intake.logs.ap1.datadoghq.com'],
    ['https://pvtlink.logs.datadoghq.com/v1/input', 'https://pvtlink.logs.datadoghq.com'],
    ['http://127.0.0.1:8126/proxy/api/v2/logs/', 'http://127.0.0.1:8126/proxy'],
    ['https://datadoghq.com.example.org', 'https://datadoghq.com.example.org'],
  ])('reads %s as %s', (endpointUrl, expected) => {
    const parsed = parseSettings(datadog, { endpointUrl, apiKey: 'k', service: 's', tags: ' env:prod, ,team:x ' });
    expect(parsed).toMatchObject({ ok: true, settings: { endpointUrl: expected, tags: 'env:prod,team:x' } });
  });

  it.each([
    ['apiKey', { apiKey: 'two words' }],
    ['tags', { tags: Array.from({ length: 101 }, (_, i) => `t:${i}`).join(',') }],
  ])('refuses a wrong %s', (field, change) => {
    const parsed = parseSettings(datadog, { endpointUrl: 'datadoghq.com', apiKey: 'k', service: 's', ...change });
    expect(parsed).toMatchObject({ ok: false, problems: [{ field }] });
  });
});

describe('the check', () => {
  it('asks the API of the site, not its intake', async () => {
    const { check, requests } = open({ endpointUrl: 'datadoghq.eu' }, () => answer({ body: '{"valid":true}' }));
    expect(await check()).toMatchObject({ outcome: { kind: 'delivered' }, steps: [{ name: 'credential', ok: true }] });
    expect(requests).toMatchObject([{ method: 'GET', url: 'https://api.datadoghq.eu/api/v1/validate' }]);
  });

  it.each<[string, () => Answer | Failure]>([
    ['nothing there can say', () => answer({ status: 404 })],
    ['the API cannot be reached', () => UNREACHABLE],
  ])('says that the key is not proved when %s, but does not hold for it', async (_why, ask) => {
    const { check } = open({}, ask);
    expect(await check()).toMatchObject({
      outcome: { kind: 'delivered' },
      steps: [{ ok: true, detail: expect.stringContaining('could not be checked') }],
    });
  });

  it('retries when the intake cannot be reached either', async () => {
    const { check } = open(
      {},
      () => UNREACHABLE,
      () => UNREACHABLE,
    );
    expect(await check()).toMatchObject({ outcome: { kind: 'retry', cause: 'unreachable' }, steps: [{ ok: false }] });
  });
});

describe('a batch that waits to be sent again', () => {
  it('keeps its bytes for half an hour and then gets times that Datadog takes', async () => {
    let now = NOW;
    const { destination, requests } = open({}, () => answer({ status: 503 }), undefined, {
      ...systemClock,
      now: () => now,
    });
    const batch = await destination.prepare([sampleEvent({ timestamp: NOW - 16.75 * HOUR })]);
    const bodies = [];
    for (const wait of [0, 0.5 * HOUR, 1]) {
      now += wait;
      await batch.send(never);
      bodies.push(String(requests.at(-1)?.body));
    }
    expect(bodies[1]).toBe(bodies[0]);
    expect(JSON.parse(bodies[2]!)).toMatchObject([
      { timestamp: new Date(now).toISOString(), evt: { time: new Date(NOW - 16.75 * HOUR).toISOString() } },
    ]);
    expect(batch.bytes).toBe(Buffer.byteLength(bodies[2]!));
  });
});

describe('the stand-in', () => {
  it('takes 1,000 logs and refuses more, or more than 5 MB', async () => {
    const post = await postTo();
    expect(await post(Array(1_000).fill({ message: 'x' }))).toBe(202);
    expect(await post(Array(1_001).fill({ message: 'x' }))).toBe(413);
    expect(await post([{ message: 'x'.repeat(5_000_000) }])).toBe(413);
    expect(await post(['x'])).toBe(400);
  });

  it('cuts a log over 1 MB and restamps one outside the time window, both with 202', async () => {
    const post = await postTo();
    const now = Date.now();
    const times = [now, now - 19 * HOUR, now + 3 * HOUR];
    const logs = times.map((at, i) => ({ message: 'x', timestamp: at, evt: { id: `e-${i}` } }));
    expect(await post([...logs, { message: 'x'.repeat(1_000_000), evt: { id: 'long' } }])).toBe(202);
    expect(post.received().map(({ id, record }) => [id, record])).toMatchObject([
      ['e-0', expect.not.objectContaining({ restamped: expect.anything() })],
      ['e-1', { restamped: times[1] }],
      ['e-2', { restamped: times[2] }],
      ['long', { truncated: true }],
    ]);
  });

  it.each([
    ['failure', 'emergency'],
    ['success', 'ok'],
    ['error', 'error'],
    ['emergency', 'emergency'],
    ['warn', 'warning'],
    ['info', 'info'],
    ['?', 'info'],
  ])('reads the status %s as %s', async (status, level) => {
    const post = await postTo();
    await post([{ message: 'x', status }]);
    expect(post.received()).toMatchObject([{ record: { level } }]);
  });

  it('never restamps or cuts what this product sends', async () => {
    const standIn = await startDatadogStandIn({ port: 0 });
    const { destination } = open(standIn.settings);
    const old = sampleEvent({ sequence: 99, timestamp: Date.now() - 30 * 24 * HOUR });
    const long = sampleEvent({ sequence: 98, timestamp: Date.now(), content: { description: 'x'.repeat(1_100_000) } });
    const outcome = await (await destination.prepare([old, long, ...sampleEvents(2)])).send(never);
    expect(outcome).toMatchObject({ kind: 'delivered', status: 202 });
    expect(standIn.counts().distinct).toBe(4);
    for (const { record } of standIn.received()) {
      expect(record).not.toHaveProperty('restamped');
      expect(record).not.toHaveProperty('truncated');
    }
    await destination.close();
    await standIn.close();
  });
});

const FACTS = { siem: 'Datadog', now: NOW, secrets: [new Secret('s3cret')] };
const UNREACHABLE: Failure = {
  kind: 'failure',
  stage: 'connect',
  blocked: false,
  uncertain: false,
  reason: 'api.datadoghq.com refused the connection',
  code: 'ECONNREFUSED',
};

function answer(given: Partial<Answer>): Answer {
  return { kind: 'answer', status: 200, headers: {}, setCookies: [], body: '', bodyCut: false, ...given };
}

/** The log of an event, made from what parsing it gives. */
function textOf({ json, bytes, timestamp: at }: LoggedEvent, now: number): string {
  const event = JSON.parse(json);
  const { id, timestamp, eventType, eventCategory, status, failureReason, actor, context } = event;
  const shorten = (text: string | undefined, length = 256) =>
    text
      ?.slice(0, length)
      .replace(/[\uD800-\uDBFF]$/, '')
      .replace(/\p{Cc}/gu, ' ');
  const who = actor?.email ?? actor?.name ?? actor?.id;
  const what = status === 'failure' && !eventType.endsWith('.failure') ? `${eventType} failed` : eventType;
  const sentence = `${what}${who ? ` by ${who}` : ''}${failureReason ? `: ${failureReason}` : ''}`;
  const attributes = JSON.stringify({
    message: shorten(event.description || sentence, 500),
    ddsource: FRAMING.source,
    service: FRAMING.service,
    ddtags: FRAMING.tags,
    timestamp: at >= now - 17 * HOUR && at <= now + HOUR ? timestamp : new Date(now).toISOString(),
    status: status === 'success' ? 'info' : 'warn',
    evt: { id, name: shorten(eventType), category: shorten(eventCategory), outcome: status, time: timestamp },
    usr: actor && { id: shorten(actor.id), email: shorten(actor.email), name: shorten(actor.name) },
    network: context.ipAddress === undefined ? undefined : { client: { ip: shorten(context.ipAddress) } },
  }).slice(0, -1);
  const isLate = at < now - 17 * HOUR;
  const marked = isLate ? JSON.stringify({ ...event, trailproof: { ...event.trailproof, late: true } }) : json;
  const room = LARGEST_LOG - Buffer.byteLength(`${attributes},"audit":}`);
  const late = ',"trailproof":{"late":true}'.length;
  return `${attributes},"audit":${bytes + late <= room ? marked : truncateEvent(marked, room)}}`;
}

function logsOf(batch: Parameters<typeof encodeLogs>[0], now: number): { status?: unknown }[] {
  return JSON.parse(encodeLogs(batch, FRAMING, now).toString()) as { status?: unknown }[];
}

/** Opened on a network that answers what it is told, or, without `ask`, on the real one. */
function open(
  change: Readonly<Record<string, unknown>>,
  ask?: () => Answer | Failure,
  probe: () => Probe | Failure = () => ({ address: { ip: '192.0.2.1', ms: 1 } }),
  clock: Clock = systemClock,
) {
  const parsed = parseSettings(datadog, { endpointUrl: 'datadoghq.com', apiKey: 'k', service: 's', ...change });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const requests: OutboundRequest[] = [];
  const told = {
    request: async (request: OutboundRequest) => {
      requests.push(request);
      return ask!();
    },
    probe: async () => probe(),
    close: async () => undefined,
  };
  const openOutbound = ask ? () => told : createOpenOutbound({ network: 'any', allowHttp: true });
  const destination: Destination = datadog.open(parsed.settings, {
    openOutbound,
    clock,
    brand: 'Acme',
    configuredAt: 0,
  });
  const check = async () => {
    const steps: CheckStep[] = [];
    return { outcome: await destination.check(never, (step) => steps.push(step)), steps };
  };
  return { destination, requests, check };
}

async function postTo() {
  const standIn = await startDatadogStandIn({ port: 0 });
  const headers = { 'dd-api-key': String(standIn.settings['apiKey']) };
  const post = async (logs: unknown): Promise<number> =>
    (await fetch(`${standIn.url}/api/v2/logs`, { method: 'POST', headers, body: JSON.stringify(logs) })).status;
  return Object.assign(post, { received: standIn.received, close: standIn.close });
}
