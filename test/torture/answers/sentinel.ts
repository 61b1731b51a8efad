import { commonRows } from './common.ts';
import { andStores, beyond, type Call, first, page, poisoned, type Reply, type Row, reply, strikes } from './row.ts';
import { idOf, isObject, type Siem, type Understood } from './siem.ts';

const DCR = 'dcr-0123456789abcdef0123456789abcdef';
const STREAM = 'Custom-TrailproofAudit_CL';
const SECRET = 'client-secret-value';
const APP = { tenantId: '11111111-1111-4111-8111-111111111111', clientId: '22222222-2222-4222-8222-222222222222' };
const LARGEST_BODY = 1_048_576;

const upload = (status: number, code: string, message = '', headers: Record<string, string> = {}): Reply =>
  reply(status, { error: { code, message } }, { 'x-ms-error-code': code, ...headers });
const aad = (status: number, error: string, code: number, text: string): Reply =>
  reply(status, { error, error_description: `AADSTS${code}: ${text} Trace ID: 1`, error_codes: [code] });
const held = (name: string, answer: Reply, state: 'misconfigured' | 'authentication_failed', fix: RegExp): Row => ({
  row: name,
  script: first(() => answer),
  expect: { effect: 'held', state, cause: new RegExp(`Microsoft Sentinel.*${answer.status}`), fix },
});
/** An answer of the token endpoint: nothing is posted before there is a token. */
const token = (name: string, answer: Reply, expect: Partial<Row['expect']>, count = 1): Row => ({
  row: `§5.2 ${name}`,
  script: strikes('token', () => answer, count),
  expect: { effect: 'held', state: 'authentication_failed', posts: 0, ...expect },
});
const forbidden = upload(
  403,
  'OperationFailed',
  `The authentication token provided does not have access to ingest data for the data collection rule with immutable Id '${DCR}' PipelineAccessResult: AccessGranted: False, IsRbacPresent: False`,
);
const isWaiting = {
  effect: 'kept',
  state: 'retrying',
  cause: /waiting for permission/,
  waitsMs: [60_000, 60_000],
} as const;
const ROLE = new RegExp(`Monitoring Metrics Publisher on the data collection rule ${DCR}`);
const tokensOf = (calls: readonly Call[]): readonly (string | undefined)[] =>
  calls.filter(({ call }) => call === 'post').map(({ headers }) => headers['authorization']);

const tokens: readonly Row[] = [
  token('401 AADSTS7000215', aad(401, 'invalid_client', 7000215, 'Invalid client secret provided.'), {
    ...{ cause: /AADSTS7000215 \(401\)/, fix: /copy the secret’s Value, not its ID/ },
  }),
  token('401 AADSTS7000222', aad(401, 'invalid_client', 7000222, 'The provided client secret keys are expired.'), {
    ...{ cause: /AADSTS7000222/, fix: /has expired/ },
  }),
  token('400 AADSTS700016', aad(400, 'unauthorized_client', 700016, 'Application was not found'), {
    ...{ cause: /AADSTS700016 \(400\)/, fix: /no app with this Client ID/ },
  }),
  token('400 AADSTS90002', aad(400, 'invalid_request', 90002, 'Tenant not found'), {
    ...{ cause: /AADSTS90002/, fix: /no such tenant/ },
  }),
  token('401 of another number', aad(401, 'invalid_client', 50_000, 'something'), {
    ...{ cause: /AADSTS50000/, fix: /Check Tenant ID, Client ID and Client Secret/ },
  }),
  token('400 temporarily_unavailable', reply(400, { error: 'temporarily_unavailable' }), {
    ...{ effect: 'kept', state: 'retrying', cause: /temporarily unavailable/ },
  }),
  token('429', reply(429, { error: 'too_many' }, { 'retry-after': '12' }), {
    ...{ effect: 'kept', state: 'throttled', cause: /Microsoft Entra ID answered 429/, waitsMs: [12_000, 12_000] },
  }),
  ...[500, 503].map((status) =>
    token(`${status}`, reply(status, 'no'), {
      effect: 'kept',
      state: 'retrying',
      cause: /Microsoft Entra ID answered 50/,
    }),
  ),
  token('200 without a token', reply(200, { token_type: 'Bearer' }), {
    ...{ state: 'misconfigured', cause: /without a token/, fix: /authority host/ },
  }),
  token('200 with a web page', page(200), { state: 'misconfigured', cause: /without a token/, fix: /authority host/ }),
  token('404', reply(404, 'no'), { state: 'misconfigured', cause: /404/ }),
  token('still wrong at the re-check', aad(401, 'invalid_client', 7000215, 'Invalid client secret'), {}, 3),
  {
    row: '§5.2 the token is kept until five minutes before its end',
    script: first(() => upload(429, 'TooMany', '', { 'retry-after': '3400' })),
    expect: { effect: 'kept', state: 'throttled', waitsMs: [3_400_000, 3_400_000] },
    calls: (calls) => calls.filter(({ call }) => call === 'token').length === 2,
  },
];

const answers: readonly Row[] = [
  {
    row: '§5.5 204',
    script: first(andStores(() => reply(204))),
    expect: { effect: 'delivered', state: 'connected' },
    calls: (calls) => calls.filter(({ call }) => call === 'token').length === 1,
  },
  held('§5.3 200 is not success', reply(200, {}), 'misconfigured', /not Microsoft Sentinel's API/),
  held('§5.3 202 is not success', reply(202, {}), 'misconfigured', /not Microsoft Sentinel's API/),
  held('§5.5 400 InvalidStream', upload(400, 'InvalidStream'), 'misconfigured', new RegExp(`none called ${STREAM}`)),
  ...['MissingApiVersionParameter', 'InvalidApiVersion'].map((code) =>
    held(`§5.5 400 ${code}`, upload(400, code), 'misconfigured', /Check the ingestion endpoint/),
  ),
  ...['InvalidPayload', 'ContentDeserializationError', 'InvalidContentLength'].map(
    (code): Row => ({
      row: `§5.5 400 ${code} for one event`,
      script: poisoned(4, () => upload(400, code)),
      expect: {
        ...{ effect: 'delivered', state: 'connected', posts: 7 },
        deadLetters: { at: [4], reason: /answered 400/ },
      },
    }),
  ),
  {
    row: '§5.5 400 RecordsTimeRangeIsMoreThan30Minutes: halved until a call spans less',
    script: beyond(2, () => upload(400, 'RecordsTimeRangeIsMoreThan30Minutes')),
    expect: { effect: 'delivered', state: 'connected', posts: 7 },
  },
  {
    row: '§5.5 401: another token, once',
    script: first(() => upload(401, 'InvalidToken')),
    expect: { effect: 'delivered', state: 'connected', posts: 2 },
    calls: (calls) => new Set(tokensOf(calls)).size === 2,
  },
  {
    row: '§5.5 401 twice',
    script: first(() => upload(401, 'InvalidToken'), 2),
    expect: { effect: 'held', state: 'authentication_failed', posts: 2, cause: /401/, fix: /belong together/ },
  },
  held('§5.5 403 after 30 minutes', forbidden, 'authentication_failed', ROLE),
  held(
    '§5.5 404',
    upload(404, 'NotFound', `immutable Id '${DCR}' not found.`),
    'misconfigured',
    /Copy the immutable ID/,
  ),
  {
    row: '§5.5 413 ContentLengthLimitExceeded',
    script: beyond(4, () => upload(413, 'ContentLengthLimitExceeded', 'Maximum allowed content length')),
    expect: { effect: 'delivered', state: 'connected', posts: 3 },
  },
  ...['TimeoutExpired', 'ReadyBody_ClientConnectionAbort'].flatMap((code): readonly Row[] => [
    {
      row: `§5.5 400 ${code} in the middle of sending: split`,
      script: beyond(2, () => upload(400, code)),
      expect: { effect: 'delivered', state: 'connected', posts: 7 },
    },
    {
      row: `§5.5 400 ${code} of one event: only slow`,
      events: { count: 1 },
      script: first(() => upload(400, code)),
      expect: { effect: 'kept', state: 'retrying', cause: new RegExp(code) },
    },
  ]),
  {
    row: '§5.5 429 with Retry-After',
    script: first(() => upload(429, 'TooManyRequests', '', { 'retry-after': '60' })),
    expect: { effect: 'kept', state: 'throttled', cause: /429/, waitsMs: [60_000, 60_000] },
  },
  {
    row: '§5.5 500 with an empty body',
    script: first(() => reply(500)),
    expect: { effect: 'kept', state: 'retrying', cause: /500/ },
  },
  {
    row: '§5.5 503, all stored',
    script: first(andStores(() => upload(503, 'ServiceUnavailable'))),
    expect: { effect: 'kept', state: 'retrying', cause: /503/ },
    uncertain: 'a 5xx may come after storing',
  },
];

const permission: readonly Row[] = [
  {
    row: '§5.6 403 within 30 minutes of saving: waits for the role',
    configuredAgoMs: 29 * 60_000,
    script: first(() => forbidden),
    expect: isWaiting,
  },
  {
    row: '§5.6 403 from within the 30 minutes to past them',
    configuredAgoMs: 28.5 * 60_000,
    script: first(() => forbidden, 3),
    expect: isWaiting,
    calls: (calls) => tokensOf(calls).length === 4,
  },
  {
    row: '§5.6 403 again, soon after the role began to act: not all of Azure knows it yet',
    events: { count: 3_000 },
    script: () => {
      let posts = 0;
      return ({ call }) => (call === 'post' && [1, 3].includes(++posts) ? forbidden : null);
    },
    expect: { effect: 'held', state: 'authentication_failed', cause: /403/, fix: ROLE },
    calls: (calls) => calls.filter(({ call }) => call === 'check').length === 1,
  },
];

const traps: readonly Row[] = [
  {
    row: '§5.7 an object is answered 204 and stored nowhere: one event goes in an array too',
    events: { count: 1 },
    script: first(() => upload(503, 'ServiceUnavailable')),
    expect: { effect: 'kept', state: 'retrying' },
  },
  {
    row: '§5.4 a column beyond 64 KB is cut and marked here',
    events: { count: 3, padding: 90_000 },
    script: first(() => upload(503, 'ServiceUnavailable')),
    expect: { effect: 'kept', state: 'retrying' },
  },
  {
    row: '§5.4 no body beyond 1 MB, uncompressed',
    events: { count: 40, padding: 50_000 },
    script: first(() => upload(503, 'ServiceUnavailable')),
    expect: { effect: 'kept', state: 'retrying' },
    calls: (calls) => calls.every(({ bytes }) => bytes <= 950_000),
  },
  {
    row: '§5.7 older than two days: its own time stays in a column',
    events: { ageMs: 3 * 86_400_000 },
    script: first(andStores(() => reply(204))),
    expect: { effect: 'delivered', state: 'connected' },
  },
];

let issued = 0;

export const sentinel: Siem = {
  kind: 'sentinel',
  settings: (url) => ({
    ...{ ...APP, clientSecret: SECRET, ingestionEndpoint: url, authorityHost: url },
    ...{ dcrImmutableId: DCR, streamName: STREAM },
  }),
  read({ method, path, query, headers, text }): Understood {
    if (`${method} ${path}` === `POST /${APP.tenantId}/oauth2/v2.0/token`) {
      const form = new URLSearchParams(text);
      if (form.get('client_secret') !== SECRET || form.get('grant_type') !== 'client_credentials')
        throw new Error(text);
      const access_token = `token-${++issued}`;
      return {
        call: 'token',
        ids: [],
        answer: () => reply(200, { token_type: 'Bearer', expires_in: 3599, access_token }),
      };
    }
    if (`${method} ${path}` !== `POST /dataCollectionRules/${DCR}/streams/${STREAM}`)
      throw new Error(`${method} ${path}`);
    if (query.get('api-version') !== '2023-01-01') throw new Error('no api-version');
    if (!/^Bearer token-\d+$/.test(headers['authorization'] ?? '')) throw new Error('no token');
    if (Buffer.byteLength(text) > LARGEST_BODY) throw new Error('more than 1 MB');
    const rows: unknown = JSON.parse(text);
    const taken = { answer: () => reply(204) };
    // The trap: taken, and stored nowhere.
    if (!Array.isArray(rows)) return { call: 'post', ids: [idOf(rows)], stores: [], ...taken };
    if (rows.length === 0) return { call: 'check', ids: [], ...taken };
    const ids = rows.map((row) => {
      if (!isObject(row) || typeof row['TimeGenerated'] !== 'string') throw new Error('a row without TimeGenerated');
      const isCut = Object.values(row).some((column) => Buffer.byteLength(JSON.stringify(column)) > 65_536);
      if (isCut) throw new Error('a column beyond 64 KB');
      return idOf(row);
    });
    return { call: 'post', ids, ...taken };
  },
  rows: [...commonRows('Microsoft Sentinel'), ...tokens, ...answers, ...permission, ...traps],
};
