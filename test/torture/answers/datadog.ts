import { commonRows } from './common.ts';
import { andStores, beyond, first, poisoned, type Reply, type Row, reply } from './row.ts';
import { idOf, isObject, type Siem, type Understood } from './siem.ts';

const KEY = 'd09d09d09d09d09d09d09d09d09d09d0';
const HOUR_MS = 3_600_000;
const SITE = /compare the site in the endpoint URL/;

const errors = (status: number, detail: string, headers: Record<string, string> = {}): Reply =>
  reply(status, { errors: [{ status: `${status}`, title: 'Error', detail }] }, headers);
const held = (name: string, answer: Reply): Row => ({
  row: `§6.4 ${name}`,
  script: first(() => answer),
  expect: { effect: 'held', state: 'authentication_failed', cause: new RegExp(`Datadog.*${answer.status}`), fix: SITE },
});
const kept = (name: string, answer: Reply, expect: Partial<Row['expect']> = {}): Row => ({
  row: `§6.4 ${name}`,
  script: first(() => answer),
  expect: { effect: 'kept', state: 'retrying', cause: new RegExp(`Datadog answered ${answer.status}`), ...expect },
});

const answers: readonly Row[] = [
  ...[200, 202].map(
    (status): Row => ({
      row: `§6.4 ${status}: queued, which is all that is ever said`,
      script: first(andStores(() => reply(status, {}))),
      expect: { effect: 'delivered', state: 'connected' },
    }),
  ),
  {
    row: '§6.4 202 with words',
    script: first(andStores(() => errors(202, 'not validated yet'))),
    expect: { effect: 'delivered', state: 'connected' },
  },
  {
    row: '§6.4 400 for one event',
    script: poisoned(1, () => errors(400, 'Bad Request')),
    expect: { effect: 'delivered', state: 'connected', posts: 7, deadLetters: { at: [1], reason: /answered 400/ } },
  },
  {
    row: '§6.4 400 for every event: a setting, not the events',
    events: { count: 10 },
    script: beyond(0, () => errors(400, 'Bad Request')),
    expect: {
      ...{ effect: 'held', state: 'misconfigured', isProbed: true, posts: 19 },
      ...{ cause: /refused 10 events in a row/, fix: /Correct the settings/ },
    },
  },
  {
    row: '§6.4 400 for each of nine: dead letters, no setting is wrong yet',
    events: { count: 9 },
    script: beyond(0, () => errors(400, 'Bad Request')),
    expect: {
      ...{ effect: 'delivered', state: 'pending', posts: 17 },
      deadLetters: { at: [0, 1, 2, 3, 4, 5, 6, 7, 8], reason: /answered 400/ },
    },
  },
  held('401', errors(401, 'Unauthorized')),
  held('403 as until July 2026', reply(403, { detail: 'Forbidden' })),
  held('403 as since July 2026', errors(403, 'API key is missing or invalid')),
  kept('408', errors(408, 'Request Timeout')),
  {
    row: '§6.4 413',
    script: beyond(2, () => errors(413, 'Payload too large')),
    expect: { effect: 'delivered', state: 'connected', posts: 7 },
  },
  kept('429', errors(429, 'Too many requests'), { state: 'throttled' }),
  kept('429 with Retry-After', errors(429, 'Too many', { 'retry-after': '17' }), {
    ...{ state: 'throttled', waitsMs: [17_000, 17_000] },
  }),
  kept('429 with x-ratelimit-reset', errors(429, 'Too many', { 'x-ratelimit-reset': '9' }), {
    ...{ state: 'throttled', waitsMs: [9_000, 9_000] },
  }),
  kept('429 with both: Retry-After', errors(429, 'Too many', { 'retry-after': '5', 'x-ratelimit-reset': '900' }), {
    ...{ state: 'throttled', waitsMs: [5_000, 5_000] },
  }),
  ...[500, 503].map((status) => kept(`${status}`, errors(status, 'Internal'))),
  {
    row: '§6.1 the key is of another site, as the check says too',
    script: () => {
      let checks = 2;
      return ({ call }) => {
        if (call === 'post') return checks === 2 ? errors(403, 'Forbidden') : null;
        return checks-- > 0 ? reply(200, { valid: false }) : null;
      };
    },
    expect: { effect: 'held', state: 'authentication_failed', cause: /403/, fix: SITE },
    calls: (calls) => calls.filter(({ call }) => call === 'check').length === 3,
  },
  {
    row: '§6.1 nobody there can check the key: the next delivery does',
    script: () => {
      let posts = 1;
      return ({ call }) => (call === 'check' ? reply(404, 'no') : posts-- > 0 ? errors(403, 'Forbidden') : null);
    },
    expect: { effect: 'held', state: 'authentication_failed', cause: /403/, fix: SITE },
  },
];

const traps: readonly Row[] = [
  ...[
    { ageMs: 20 * HOUR_MS, name: 'older than 18 hours' },
    { ageMs: -3 * HOUR_MS, name: 'more than two hours ahead' },
  ].map(
    ({ ageMs, name }): Row => ({
      row: `§1.3 §6.5 ${name}: goes with the present time`,
      events: { ageMs },
      script: first(() => errors(503, 'Internal')),
      expect: { effect: 'kept', state: 'retrying' },
    }),
  ),
  {
    row: '§6.5 grows too old while it waits: framed anew',
    events: { ageMs: 16.9 * HOUR_MS },
    script: first(() => errors(429, 'Too many', { 'retry-after': '3600' }), 3),
    expect: { effect: 'kept', state: 'throttled', waitsMs: [HOUR_MS, HOUR_MS] },
    isReframed: true,
  },
  {
    row: '§1.3 §6.3 no log beyond 1 MB, which Datadog would cut',
    events: { count: 2, padding: 1_200_000 },
    script: first(() => errors(503, 'Internal')),
    expect: { effect: 'kept', state: 'retrying' },
  },
  {
    row: '§6.3 no body beyond 5 MB or 1,000 logs',
    events: { count: 1_100, padding: 6_000 },
    script: first(() => errors(503, 'Internal')),
    expect: { effect: 'kept', state: 'retrying' },
    isReframed: true,
  },
];

export const datadog: Siem = {
  kind: 'datadog',
  settings: (url) => ({ endpointUrl: url, apiKey: KEY, service: 'audit-log' }),
  read({ method, path, headers, text, now }): Understood {
    if (headers['dd-api-key'] !== KEY) throw new Error('no API key');
    if (`${method} ${path}` === 'GET /api/v1/validate')
      return { call: 'check', ids: [], answer: () => reply(200, { valid: true }) };
    if (`${method} ${path}` !== 'POST /api/v2/logs') throw new Error(`${method} ${path}`);
    const logs: unknown = JSON.parse(text);
    if (!Array.isArray(logs) || logs.length > 1_000 || Buffer.byteLength(text) > 5_000_000)
      throw new Error('no array, or beyond 1,000 logs or 5 MB');
    const ids = logs.map((log) => (isObject(log) ? idOf(log['evt']) : ''));
    return { call: 'post', ids, stores: ids.filter((_, i) => isTaken(logs[i], now)), answer: () => reply(202, {}) };
  },
  rows: [...commonRows('Datadog'), ...answers, ...traps],
};

/** The trap: a 2xx whatever there is in it, and what is too old, too far ahead or too large is dropped or cut. */
function isTaken(log: unknown, now: number): boolean {
  const at = isObject(log) ? Date.parse(String(log['timestamp'])) : Number.NaN;
  return at > now - 18 * HOUR_MS && at < now + 2 * HOUR_MS && Buffer.byteLength(JSON.stringify(log)) <= 1_000_000;
}
