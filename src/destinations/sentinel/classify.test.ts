import { describe, expect, it } from 'vitest';
import type { Answer, Failure } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import { classifyToken, classifyUpload, type UploadFacts } from './classify.ts';

const MINUTE_MS = 60_000;
const DCR = 'dcr-0123456789abcdef0123456789abcdef';

describe('the token endpoint', () => {
  it.each([
    [3_599, 3_599_000 - 5 * MINUTE_MS],
    [60, 30_000],
    ['3599', 3_599_000 - 5 * MINUTE_MS],
  ])('gives a token for %s s, renewed in time', (expiresIn, renewAt) => {
    const token = judge(200, { token_type: 'Bearer', expires_in: expiresIn, access_token: 'jwt' });
    expect(token).toMatchObject({ kind: 'token', renewAt });
    expect(token.kind === 'token' && token.value.reveal()).toBe('jwt');
  });

  it('does not show a token that it cannot use', () => {
    const outcome = judge(200, { access_token: 'hush' });
    expect(outcome).toMatchObject({ kind: 'misconfigured', cause: 'setting' });
    expect(JSON.stringify(outcome)).not.toContain('hush');
  });

  it.each([
    [401, 'invalid_client', 7000215, 'Value'],
    [401, 'invalid_client', 7000222, 'expired'],
    [400, 'unauthorized_client', 700016, 'Client ID'],
    [400, 'invalid_request', 90002, 'tenant'],
    [400, 'invalid_request', 900023, 'GUID'],
    [400, 'unauthorized_client', 7000112, 'disabled'],
    [400, 'access_denied', 53003, 'Conditional Access'],
    [400, 'invalid_request', 1234567, 'app registration'],
  ])('answers %i %s AADSTS%i: a person is told what to do', (status, error, code, fix) => {
    expect(judge(status, { error, error_description: `AADSTS${code}: why`, error_codes: [code] })).toMatchObject({
      kind: 'misconfigured',
      cause: 'credential',
      reason: `Microsoft Entra ID gave no token: AADSTS${code} (${status})`,
      fix: expect.stringContaining(fix),
    });
  });

  it.each([
    [400, { error: 'temporarily_unavailable' }, { kind: 'retry', cause: 'server' }],
    [429, { error: 'x' }, { kind: 'throttled' }],
    [503, { error: 'x' }, { kind: 'retry', cause: 'server' }],
    [302, '', { kind: 'misconfigured' }],
    [200, '<html></html>', { kind: 'misconfigured' }],
    [400, 'Bad Request', { kind: 'misconfigured', cause: 'setting' }],
    [413, '', { kind: 'misconfigured', cause: 'setting' }],
  ])('answers %i %o', (status, body, expected) => {
    expect(judge(status, body)).toMatchObject(expected);
  });

  it('never leaves events in doubt: they were not sent', () => {
    const lost: Failure = {
      kind: 'failure',
      stage: 'answer',
      blocked: false,
      uncertain: true,
      reason: 'lost',
      code: 'ECONNRESET',
    };
    for (const outcome of [judge(500, ''), classifyToken(lost, { now: 0, secrets: [] })])
      expect(outcome).toMatchObject({ kind: 'retry', uncertain: false });
  });

  function judge(status: number, body: unknown) {
    return classifyToken(answer(status, body), { now: 0, secrets: [] });
  }
});

describe('an upload', () => {
  it('is delivered by 204 alone', () => {
    expect(judge(204, '')).toEqual({ kind: 'delivered', status: 204 });
    for (const body of ['', '{}', '<html></html>'])
      expect(judge(200, body)).toMatchObject({ kind: 'misconfigured', cause: 'setting' });
    expect(judge(202, '')).toMatchObject({ kind: 'misconfigured' });
  });

  it.each([
    [
      400,
      'InvalidStream',
      { kind: 'misconfigured', cause: 'setting', fix: expect.stringContaining('Custom-Audit_CL') },
    ],
    [400, 'InvalidApiVersion', { kind: 'misconfigured', cause: 'setting' }],
    [400, 'MissingApiVersionParameter', { kind: 'misconfigured', cause: 'setting' }],
    [400, 'InvalidPayload', { kind: 'refused' }],
    [400, 'ContentDeserializationError', { kind: 'refused' }],
    [400, 'RecordsTimeRangeIsMoreThan30Minutes', { kind: 'refused' }],
    [400, 'TimeoutExpired', { kind: 'refused', tooLarge: true }],
    [400, 'ReadyBody_ClientConnectionAbort', { kind: 'refused', tooLarge: true }],
    [401, 'InvalidToken', { kind: 'misconfigured', cause: 'credential' }],
    [403, 'OperationFailed', { kind: 'misconfigured', cause: 'permission', fix: expect.stringContaining(DCR) }],
    [404, 'NotFound', { kind: 'misconfigured', cause: 'setting', fix: expect.stringContaining(DCR) }],
    [413, 'ContentLengthLimitExceeded', { kind: 'refused', tooLarge: true }],
    [429, 'TooManyRequests', { kind: 'throttled', retryAfterMs: 7_000 }],
    [500, 'InternalServerError', { kind: 'retry', cause: 'server', uncertain: true }],
    [503, 'ServiceUnavailable', { kind: 'retry', cause: 'server', uncertain: true }],
  ])('is answered %i %s', (status, code, expected) => {
    const words = { error: { code, message: 'why' } };
    expect(judge(status, words)).toMatchObject(expected);
    expect(judge(status, words, { 'x-ms-error-code': code })).toMatchObject(expected);
  });

  it.each(['TimeoutExpired', 'ReadyBody_ClientConnectionAbort'])('of one event is not too large for %s', (code) => {
    expect(judge(400, { error: { code } }, {}, { events: 1 })).toMatchObject({ kind: 'retry', cause: 'server' });
  });

  it('names the role that lacks', () => {
    expect(judge(403, '')).toMatchObject({ fix: expect.stringContaining('Monitoring Metrics Publisher') });
  });

  it('waits for a role that was just given', () => {
    const outcome = judge(403, { error: { code: 'OperationFailed' } }, {}, { mayAwaitPermission: true });
    expect(outcome).toMatchObject({ kind: 'retry', cause: 'server', retryAfterMs: MINUTE_MS });
    expect(outcome).toMatchObject({ reason: expect.stringContaining('waiting for permission') });
  });

  it('does not take a web page that forbids for Azure', () => {
    expect(judge(403, '<html></html>', {}, { mayAwaitPermission: true })).toMatchObject({
      kind: 'misconfigured',
      cause: 'setting',
    });
  });

  it('does not repeat a secret that an answer repeats', () => {
    expect(JSON.stringify(judge(400, { error: { code: 'InvalidPayload', message: 'hush' } }))).not.toContain('hush');
  });

  it('shows no secret and no more than an excerpt of what a header says', () => {
    const outcome = JSON.stringify(judge(400, '', { 'x-ms-error-code': `hush${'x'.repeat(9_000)}` }));
    expect(outcome).not.toContain('hush');
    expect(outcome.length).toBeLessThan(1_000);
  });

  function judge(
    status: number,
    body: unknown,
    headers: Record<string, string> = {},
    change: Partial<UploadFacts> = {},
  ) {
    return classifyUpload(answer(status, body, { 'retry-after': '7', ...headers }), {
      siem: 'Microsoft Sentinel',
      now: 0,
      secrets: [new Secret('hush')],
      events: 2,
      dcrImmutableId: DCR,
      streamName: 'Custom-Audit_CL',
      mayAwaitPermission: false,
      ...change,
    });
  }
});

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'answer', status, headers, setCookies: [], body: text, bodyCut: false };
}
