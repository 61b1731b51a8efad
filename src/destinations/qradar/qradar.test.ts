import fc from 'fast-check';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { createOpenOutbound } from '../../outbound/open-outbound.ts';
import type { Answer } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import { anyEvents } from '../any-events.ts';
import { describeDestination } from '../conformance.ts';
import type { CheckStep } from '../destination.ts';
import { sampleEvent, sampleEvents } from '../sample-events.ts';
import { parseSettings, secretsOf } from '../settings.ts';
import { classifyPost } from './classify.ts';
import { encodeLines, overheadBytes, type QRadarFraming } from './encode.ts';
import { qradar } from './index.ts';
import { eventOfLeef, parseLeef } from './parse-leef.ts';
import { type LogSourceOptions, startQRadarStandIn } from './stand-in.ts';

const CONFORMANCE = {
  wrongCredential: { secToken: 'another-token' },
  provesCredential: false,
  itemVerdicts: false,
  deduplicates: false,
  oversize: 'cut',
} as const;
const JSON_LINES: QRadarFraming = {
  payload: 'json',
  logSource: 'Acme "audit"',
  vendor: 'Acme',
  maxPayloadLength: 8_192,
};
const LEEF_LINES: QRadarFraming = { ...JSON_LINES, payload: 'leef' };
const never = new AbortController().signal;

describeDestination(qradar, CONFORMANCE);
describe('over TLS', () => describeDestination(qradar, { ...CONFORMANCE, tls: true }));
describe('with LEEF', () =>
  describeDestination(qradar, {
    ...CONFORMANCE,
    settings: { payload: 'leef' },
    expected: ({ json }) => withoutControls(JSON.parse(json)),
  }));

const GOLDEN = [
  sampleEvent(),
  sampleEvent({
    sequence: 2,
    eventType: 'user.role_changed',
    eventCategory: 'user_management',
    content: {
      status: 'failure',
      failureReason: 'rate_limited',
      description: 'Two\nlines | and\ta tab, "quoted" = ünïcode 日本',
      actor: { id: 'user-2', email: 'bo@example.com', name: 'Bo', type: 'user' },
      target: { type: 'user', id: 'user-3', name: 'Cy' },
      context: {
        ipAddress: '2001:db8::7',
        userAgent: 'curl/8.5 (x^y)',
        sessionId: 's-1',
        requestId: 'r-1',
        teamId: 'team-1',
      },
      changes: { previous: { role: 'member' }, current: { role: 'admin' } },
      metadata: { note: 'a\tb' },
    },
  }),
  sampleEvent({
    sequence: 3,
    eventType: 'gateway.rule_hit',
    eventCategory: 'gateway',
    content: { actor: undefined, context: { teamId: 'team-1' } },
  }),
];

describe('the body', () => {
  it.each([
    ['batch.ndjson', JSON_LINES],
    ['batch.leef', LEEF_LINES],
  ])('is %s, byte for byte', async (file, framing) => {
    await expect(await linesOf(GOLDEN, framing)).toMatchFileSnapshot(`fixtures/${file}`);
  });

  it('has of every event what its text has', async () => {
    const lineOf = ({ json }: LoggedEvent) => `${json.slice(0, -1)},"logSource":"Acme \\"audit\\""}`;
    await fc.assert(
      fc.asyncProperty(anyEvents, async (events) => {
        const fitting = events.filter((event) => Buffer.byteLength(lineOf(event)) <= 8_192);
        expect(await linesOf(fitting, JSON_LINES)).toBe(fitting.map(lineOf).join('\n'));
        expect(await linesOf(events, { ...JSON_LINES, maxPayloadLength: 1e9 })).toBe(events.map(lineOf).join('\n'));
      }),
    );
  });

  it('begins every JSON line as the message pattern expects', async () => {
    for (const line of (await linesOf(GOLDEN, JSON_LINES)).split('\n')) expect(line).toMatch(/^\{"timestamp":"/);
  });

  it('adds no more to an event than its limits say', async () => {
    const name = '日'.repeat(400);
    const content = { actor: { name }, target: { name }, context: { ipAddress: '2001:db8::1', teamId: 't' } };
    for (const framing of [JSON_LINES, LEEF_LINES])
      for (const event of [...GOLDEN, sampleEvent({ content, eventType: name })])
        expect(Buffer.byteLength(await linesOf([event], framing)) - event.bytes).toBeLessThanOrEqual(
          overheadBytes(framing),
        );
  });

  it.each([
    ['JSON', JSON_LINES],
    ['LEEF', LEEF_LINES],
  ])('stays within the payload length as %s, whatever the event, and says that it was cut', async (_what, framing) => {
    const text = fc.oneof(fc.string({ unit: 'binary', minLength: 10 }), fc.constantFrom('\u007f', '\u0085x', '\u2028'));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 0, max: 3_000 }), async (text, times) => {
        const event = sampleEvent({
          content: { description: text.repeat(times), metadata: { text: text.repeat(times) } },
        });
        const { body, unfit } = await encodeLines([event], framing);
        const line = body.toString();
        const whole = await linesOf([event], { ...framing, maxPayloadLength: 1e9 });
        expect(unfit).toEqual([]);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(8_192);
        expect(line.includes('"truncated"')).toBe(line !== whole);
      }),
      { numRuns: 50 },
    );
  });
});

async function linesOf(events: readonly LoggedEvent[], framing: QRadarFraming): Promise<string> {
  return (await encodeLines(events, framing)).body.toString();
}

describe('an event that cannot be cut to a payload', () => {
  const long = sampleEvent({ id: 'long', content: { actor: { id: 'x'.repeat(9_000) } } });
  const short = sampleEvent({ id: 'short', sequence: 2 });

  it.each(['json', 'leef'])(
    'is refused with the reason, the rest of its batch is delivered, as %s',
    async (payload) => {
      const rejected = [{ id: 'long', reason: expect.stringContaining('8192 bytes') }];
      const mixed = await deliver([long, short], { payload }, {});
      expect(mixed).toMatchObject({ events: 1, rejected: 0, outcome: { kind: 'partial', rejected, again: [] } });
      const alone = await deliver([long], { payload }, {});
      expect(alone).toMatchObject({ events: 0, requests: 0, outcome: { kind: 'partial', rejected } });
    },
  );

  it('waits with its batch while QRadar takes nothing', async () => {
    const held = await deliver([long, short], { secToken: 'another' }, {});
    expect(held.outcome).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
  });
});

describe('LEEF, read back', () => {
  it('keeps who, what, where and when of any event, in one line, under no other key', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\t\r\n|=^\\ a]*$/));
    const any = fc.record(
      {
        description: text,
        failureReason: text,
        status: fc.constantFrom('success', 'failure'),
        actor: fc.record({ id: text, email: text, name: text, type: text }, { requiredKeys: [] }),
        target: fc.record({ id: text, type: text, name: text }, { requiredKeys: [] }),
        context: fc.record(
          { teamId: text, ipAddress: text, userAgent: text, sessionId: text },
          { requiredKeys: ['teamId'] },
        ),
        metadata: fc.dictionary(text, fc.jsonValue()),
        changes: fc.record({ previous: fc.dictionary(text, text), current: fc.dictionary(text, text) }),
      },
      { requiredKeys: ['status', 'context'] },
    );
    await fc.assert(
      fc.asyncProperty(any, fc.string({ minLength: 1 }), async (content, eventType) => {
        const event = sampleEvent({ eventType, content: JSON.parse(JSON.stringify(content)) });
        const line = await linesOf([event], { ...LEEF_LINES, maxPayloadLength: 1e9 });
        expect(line).not.toMatch(/[\r\n\u0085\u2028\u2029]/);
        const leef = parseLeef(line);
        expect(leef).toMatchObject({ host: 'Acme-"audit"', vendor: 'Acme', product: 'Trailproof', version: '1.0' });
        expect(withoutEmpty(eventOfLeef(leef!))).toEqual(withoutEmpty(withoutControls(JSON.parse(event.json))));
      }),
    );
  });
});

describe('answers', () => {
  it.each([
    [200, {}, { kind: 'delivered' }],
    [202, {}, { kind: 'delivered' }],
    [204, {}, { kind: 'delivered' }],
    [302, {}, { kind: 'misconfigured', cause: 'setting' }],
    [400, {}, { kind: 'refused' }],
    [401, {}, { kind: 'misconfigured', cause: 'credential', reason: 'QRadar did not accept the SEC token (401)' }],
    [403, {}, { kind: 'misconfigured', cause: 'credential', reason: 'QRadar did not accept the SEC token (403)' }],
    [404, {}, { kind: 'misconfigured', cause: 'setting' }],
    [405, {}, { kind: 'misconfigured', cause: 'setting' }],
    [408, {}, { kind: 'retry', cause: 'server', uncertain: true }],
    [413, {}, { kind: 'refused', tooLarge: true }],
    [429, { 'retry-after': '7' }, { kind: 'throttled', retryAfterMs: 7_000 }],
    [500, {}, { kind: 'retry', cause: 'server', uncertain: true }],
    [503, { 'retry-after': '3' }, { kind: 'retry', cause: 'server', retryAfterMs: 3_000 }],
  ])('%d means what the README says', (status, headers, expected) => {
    expect(classify({ status, headers })).toMatchObject({ ...expected, status });
  });

  it.each([200, 401, 403])('%d with a web page is not QRadar', (status) => {
    expect(classify({ status, body: '<!doctype html><title>Sign in</title>' })).toMatchObject({
      kind: 'misconfigured',
      cause: 'setting',
    });
  });

  it('shows no token that an answer repeats', () => {
    expect(classify({ status: 401, body: '["bad token s3cret"]' })).toMatchObject({ answer: '["bad token [secret]"]' });
  });
});

describe('the log source', () => {
  it.each([
    ['Event Per Line', 'json', undefined],
    ['Event Per Line', 'leef', undefined],
    ['the recommended message pattern', 'json', /\{"timestamp":"/],
    ['the recommended message pattern', 'leef', /<13>1 /],
  ])('makes one event of each line by %s, as %s', async (_what, payload, messagePattern) => {
    const logSource = messagePattern ? { messagePattern } : {};
    expect(await deliver(sampleEvents(3), { payload }, logSource)).toMatchObject({
      events: 3,
      distinct: 3,
      rejected: 0,
    });
  });

  it('takes a whole batch for one unreadable event when neither is set', async () => {
    expect(await deliver(sampleEvents(3), {}, { messagePattern: null })).toMatchObject({
      events: 0,
      distinct: 0,
      rejected: 1,
    });
  });

  it('splits no event of the longest payload when both sides are set to 32,767 bytes', async () => {
    const events = [sampleEvent({ content: { description: 'x'.repeat(40_000) } })];
    const whole = { maxPayloadLength: '32767' };
    expect(await deliver(events, whole, { maxPayloadLength: 32_767 })).toMatchObject({
      events: 1,
      distinct: 1,
      rejected: 0,
    });
    // The trap that the setting avoids: QRadar cuts anywhere, and neither half can be read.
    expect(await deliver(events, whole, {})).toMatchObject({ events: 0, distinct: 0, rejected: 4 });
    const metadata = { text: 'x'.repeat(40_000) };
    const leef = { ...whole, payload: 'leef' };
    expect(await deliver([sampleEvent({ content: { metadata } })], leef, {})).toMatchObject({
      events: 0,
      distinct: 0,
      rejected: 4,
    });
  });

  it('is told the token under the header name that it asks for', async () => {
    const logSource = { headerName: 'X-Audit-Token' };
    expect(await deliver(sampleEvents(1), {}, logSource)).toMatchObject({ events: 1 });
    expect(await deliver(sampleEvents(1), { headerName: 'SEC' }, logSource)).toMatchObject({ events: 0 });
  });

  it('reads no compressed body', async () => {
    const standIn = await startQRadarStandIn({ port: 0 });
    const headers = { sec: String(standIn.settings['secToken']), 'content-encoding': 'deflate' };
    expect((await fetch(standIn.url, { method: 'POST', headers, body: GOLDEN[0]!.json })).status).toBe(200);
    expect(standIn.counts()).toMatchObject({ events: 0, rejected: 1 });
    await standIn.close();
  });
});

describe('the check', () => {
  it.each([
    [
      'tls',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      { kind: 'misconfigured', cause: 'tls', fix: expect.stringContaining('CA certificate') },
    ],
    ['connect', 'ECONNREFUSED', { kind: 'retry', cause: 'unreachable' }],
  ] as const)('says what a %s failure means, having written nothing', async (stage, code, expected) => {
    const failure = { kind: 'failure', stage, code, blocked: false, uncertain: false, reason: code } as const;
    const steps: CheckStep[] = [];
    const parsed = parseSettings(qradar, {
      endpointUrl: 'https://qradar.example.com:12469',
      secToken: 't',
      logSource: 'acme',
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const destination = qradar.open(parsed.settings, {
      openOutbound: () => ({
        request: () => Promise.reject(new Error('the check writes')),
        probe: async () => failure,
        close: async () => undefined,
      }),
      clock: systemClock,
      brand: 'Acme',
      configuredAt: 0,
    });
    expect(await destination.check(never, (step) => steps.push(step))).toMatchObject(expected);
    expect(steps).toMatchObject([{ name: 'credential', ok: false, detail: code }]);
  });
});

describe('settings', () => {
  const given = { endpointUrl: 'qradar.example.com:12469/', secToken: 't', logSource: 'acme' };

  it('takes the address without scheme and fills in the defaults', () => {
    expect(parseSettings(qradar, given)).toMatchObject({
      ok: true,
      settings: {
        endpointUrl: 'https://qradar.example.com:12469',
        headerName: 'SEC',
        payload: 'json',
        maxPayloadLength: '8192',
      },
    });
  });

  it.each([
    ['SEC: t', {}],
    ['sec:t', {}],
    ['X-Key: t', { headerName: 'x-key' }],
  ])('takes the token pasted as %j', (secToken, change) => {
    const parsed = parseSettings(qradar, { ...given, ...change, secToken });
    expect(parsed.ok && secretsOf(parsed.settings).map((secret) => secret.reveal())).toEqual(['t']);
  });

  it.each(['Bearer t', 'a:b', 'SECt'])('changes nothing of the token %j, which is compared literally', (secToken) => {
    const parsed = parseSettings(qradar, { ...given, secToken });
    expect(parsed.ok && secretsOf(parsed.settings).map((secret) => secret.reveal())).toEqual([secToken]);
  });

  it('wants a client certificate and the key that belongs to it', async () => {
    const [one, two] = [await generate([], { keyType: 'ec' }), await generate([], { keyType: 'ec' })];
    const parsed = (clientCertificate: string, clientKey: string) =>
      parseSettings(qradar, { ...given, clientCertificate, clientKey });
    expect(parsed(one.cert, one.private)).toMatchObject({ ok: true });
    expect(parsed(one.cert, two.private)).toMatchObject({ ok: false, problems: [{ field: 'clientKey' }] });
    expect(parsed(one.cert, '')).toMatchObject({ ok: false, problems: [{ field: 'clientKey' }] });
    expect(parsed('', one.private)).toMatchObject({ ok: false, problems: [{ field: 'clientCertificate' }] });
  });

  it.each([
    ['headerName', { headerName: 'Content-Length' }],
    ['headerName', { headerName: 'SEC:' }],
    ['secToken', { secToken: 'line\nbreak' }],
    ['secToken', { secToken: 'SEC: line\r\nX-Other: 1' }],
    ['maxPayloadLength', { maxPayloadLength: '99999' }],
    ['payload', { payload: 'cef' }],
  ])('refuses a wrong %s: %o', (field, change) => {
    expect(parseSettings(qradar, { ...given, ...change })).toMatchObject({ ok: false, problems: [{ field }] });
  });
});

function classify(answer: Partial<Answer>) {
  const whole: Answer = {
    kind: 'answer',
    status: 200,
    headers: {},
    setCookies: [],
    body: '',
    bodyCut: false,
    ...answer,
  };
  return classifyPost(whole, { siem: 'QRadar', now: 0, secrets: [new Secret('s3cret')] });
}

async function deliver(
  events: readonly LoggedEvent[],
  change: Readonly<Record<string, unknown>>,
  logSource: LogSourceOptions,
) {
  const standIn = await startQRadarStandIn({ port: 0 }, logSource);
  const parsed = parseSettings(qradar, { ...standIn.settings, ...change });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
  const destination = qradar.open(parsed.settings, {
    openOutbound,
    clock: systemClock,
    brand: 'Acme',
    configuredAt: 0,
  });
  const outcome = await (await destination.prepare(events)).send(never);
  await destination.close();
  const { events: stored, distinct, rejected, requests } = standIn.counts();
  await standIn.close();
  return { events: stored, distinct, rejected, requests, outcome };
}

/** An event as LEEF can hold it: control characters and line ends of strings outside of JSON are spaces. */
function withoutControls(event: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const clean = (value: unknown) => (typeof value === 'string' ? value.replace(/[\p{Cc}\u2028\u2029]/gu, ' ') : value);
  const cleanAll = (value: unknown) =>
    Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, clean(inner)]));
  const { actor, target, context, ...rest } = event;
  const objects = Object.entries({ actor, target, context }).filter(([, value]) => value !== undefined);
  return { ...cleanAll(rest), ...Object.fromEntries(objects.map(([key, value]) => [key, cleanAll(value)])) };
}

/** LEEF cannot tell an object without members from none. */
function withoutEmpty(event: Readonly<Record<string, unknown>>): unknown {
  const isEmpty = (key: string, value: unknown) =>
    ['actor', 'target'].includes(key) && Object.keys(value as object).length === 0;
  return Object.fromEntries(Object.entries(event).filter(([key, value]) => !isEmpty(key, value)));
}
