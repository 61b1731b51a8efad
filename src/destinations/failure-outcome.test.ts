import { describe, expect, it } from 'vitest';
import type { Answer, Failure } from '../outbound/outbound.ts';
import { Secret } from '../secrets.ts';
import { evidenceOf, excerpt, isHtml, outcomeOfAnswer, outcomeOfFailure, retryAfterMs } from './failure-outcome.ts';

const page = '<!doctype html><html><body>Sign in</body></html>';

function answer(status: number, body = '', headers: Answer['headers'] = {}): Answer {
  return { kind: 'answer', status, headers, setCookies: [], body, bodyCut: false };
}

function failure(changes: Partial<Failure>): Failure {
  return {
    kind: 'failure',
    stage: 'connect',
    blocked: false,
    uncertain: false,
    reason: 'it failed',
    code: 'X',
    ...changes,
  };
}

describe('an answer of megabytes', () => {
  it('is judged by its beginning', () => {
    const endless = answer(200, `${' '.repeat(8 * 1024 * 1024)}${page}`);
    expect(isHtml(endless)).toBe(false);
    expect(evidenceOf({ ...endless, body: `${' '.repeat(5_000)}{}` }, [])).toEqual({ status: 200 });
    expect(evidenceOf({ ...endless, body: `  {"text":"${'x'.repeat(1_000_000)}` }, []).answer).toHaveLength(500);
  });
});

describe('an answer that no SIEM gives', () => {
  const facts = { siem: 'Splunk', now: Date.UTC(2026, 0, 1), secrets: [new Secret('hunter2')] };

  it.each([
    [200, '', 'misconfigured', 'setting'],
    [200, page, 'misconfigured', 'setting'],
    [204, '', 'misconfigured', 'setting'],
    [301, '', 'misconfigured', 'setting'],
    [302, page, 'misconfigured', 'setting'],
    [307, '', 'misconfigured', 'setting'],
    [400, '{}', 'refused', undefined],
    [400, page, 'misconfigured', 'setting'],
    [401, '{}', 'misconfigured', 'credential'],
    [403, '{}', 'misconfigured', 'permission'],
    [403, page, 'misconfigured', 'setting'],
    [404, '{}', 'misconfigured', 'setting'],
    [405, '', 'misconfigured', 'setting'],
    [407, page, 'misconfigured', 'setting'],
    [408, '', 'retry', 'server'],
    [413, page, 'refused', undefined],
    [418, '', 'misconfigured', 'setting'],
    [421, '', 'misconfigured', 'setting'],
    [422, '{}', 'refused', undefined],
    [425, '', 'retry', 'server'],
    [426, '', 'misconfigured', 'setting'],
    [429, page, 'throttled', undefined],
    [500, '', 'retry', 'server'],
    [502, page, 'retry', 'server'],
    [503, '', 'retry', 'server'],
    [505, '', 'misconfigured', 'setting'],
    [511, page, 'misconfigured', 'setting'],
  ])('%i %j is %s %s', (status, body, kind, cause) => {
    const outcome = outcomeOfAnswer(answer(status, body), facts);
    expect(outcome).toMatchObject({ kind, status });
    expect('cause' in outcome ? outcome.cause : undefined).toBe(cause);
    expect('tooLarge' in outcome).toBe(status === 413);
  });

  it('is never a delivery, whatever its status', () => {
    for (let status = 200; status < 600; status++)
      expect(outcomeOfAnswer(answer(status), facts).kind).not.toBe('delivered');
  });

  it('hands on how long to wait, and words without credentials', () => {
    const outcome = outcomeOfAnswer(answer(503, '{"m":"hunter2 is slow"}', { 'retry-after': '7' }), facts);
    expect(outcome).toMatchObject({ retryAfterMs: 7_000, uncertain: true, answer: '{"m":"[secret] is slow"}' });
  });

  it.each([page, 'internal notes', '<?xml version="1.0"?>'])(
    'shows nothing of a body that no SIEM writes: %j',
    (body) => {
      for (const status of [200, 302, 400, 404, 503])
        expect(outcomeOfAnswer(answer(status, body), facts)).not.toHaveProperty('answer');
    },
  );
});

describe('a missing answer', () => {
  it.each([
    [
      { blocked: true, stage: 'address' },
      { kind: 'misconfigured', cause: 'address' },
    ],
    [{ code: 'ECONNREFUSED' }, { kind: 'retry', cause: 'unreachable' }],
    [
      { code: 'ENOTFOUND', stage: 'address' },
      { kind: 'retry', cause: 'unreachable', fix: expect.stringContaining('host name') },
    ],
    [
      { code: 'TIMEOUT', stage: 'address' },
      { kind: 'retry', cause: 'unreachable', fix: expect.stringContaining('DNS server') },
    ],
    [
      { code: 'PROXY_407', stage: 'proxy', fix: 'do this' },
      { kind: 'misconfigured', cause: 'setting', fix: 'do this' },
    ],
    [
      { code: 'PROXY_503', stage: 'proxy', fix: 'do that' },
      { kind: 'retry', cause: 'unreachable', fix: 'do that' },
    ],
    [
      { code: 'TIMEOUT', stage: 'tls' },
      { kind: 'retry', cause: 'unreachable' },
    ],
    [
      { code: 'ECONNRESET', stage: 'tls' },
      { kind: 'retry', cause: 'unreachable' },
    ],
    [
      { code: 'TIMEOUT', stage: 'answer', uncertain: true },
      { kind: 'retry', cause: 'unreachable', uncertain: true },
    ],
  ] as const)('%j is %j', (changes, expected) => {
    expect(outcomeOfFailure(failure(changes), 'Splunk')).toMatchObject({ ...expected, reason: 'it failed' });
  });

  it.each([
    ['CERT_HAS_EXPIRED', 'Renew'],
    ['CERT_NOT_YET_VALID', 'clocks'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'host name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'CA certificate'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CA certificate'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'port'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificates'],
    ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'certificates'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'TLS 1.2'],
  ])('with %s in TLS holds, and says what to do', (code, words) => {
    const outcome = outcomeOfFailure(failure({ stage: 'tls', code }), 'Splunk');
    expect(outcome).toMatchObject({ kind: 'misconfigured', cause: 'tls', fix: expect.stringContaining(words) });
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1, 12);

  it.each([
    ['5', 5_000],
    [' 0 ', 0],
    ['1.5', 1_500],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['999999999', 3_600_000],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
  ])('%j asks for %s ms', (value, ms) => {
    expect(retryAfterMs({ 'retry-after': value }, now)).toBe(ms);
  });

  it('may be absent', () => expect(retryAfterMs({}, now)).toBeUndefined());
});

describe('an excerpt', () => {
  it('is one line without control characters', () => {
    expect(excerpt('a\r\n\tb\u0000\u001b[31mc  d ', [])).toBe('a b [31mc d');
  });

  it('is at most 500 characters, and whole ones', () => {
    expect(excerpt('x'.repeat(500), [])).toHaveLength(500);
    const cut = excerpt(`${'x'.repeat(498)}😀${'y'.repeat(100)}`, []);
    expect(cut.length).toBeLessThanOrEqual(500);
    expect(cut.isWellFormed()).toBe(true);
  });

  it('has no credential left in any form in which it may be repeated', () => {
    const value = 'a"b\\c~d e+f';
    const forms = [
      value,
      JSON.stringify(value),
      encodeURIComponent(value),
      `${new URLSearchParams({ secret: value })}`,
    ];
    for (const form of forms) expect(excerpt(`said ${form} twice`, [new Secret(value)])).not.toMatch(/c~d|c%7Ed/);
    expect(excerpt('nothing', [new Secret('')])).toBe('nothing');
  });

  it('has no credential left, even one that the limit would have cut', () => {
    const secret = new Secret('s3cret-token');
    for (let before = 480; before < 510; before++)
      expect(excerpt(`${'x'.repeat(before)}s3cret-token`, [secret])).not.toMatch(/s3c/);
  });
});
