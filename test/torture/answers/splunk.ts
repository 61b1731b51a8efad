import { commonRows } from './common.ts';
import { andStores, beyond, type Call, first, poisoned, type Reply, type Row, reply, strikes } from './row.ts';
import { type Arrived, idOf, isObject, type Siem, type Understood } from './siem.ts';

const TOKEN = '11111111-2222-3333-4444-555555555555';
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const ENVELOPE = ['time', 'host', 'source', 'sourcetype', 'index', 'event', 'fields'];

/** Codes that are about the one event they name. */
const POISON = [6, 12, 13, 15];

const hec = (status: number, code: number, text: string, more: object = {}): Reply =>
  reply(status, { text, code, ...more });
/**
 * A 400 about one event (the last, in a shorter batch): what came before it is indexed. `off`: how far beside it the
 * number points.
 */
const stopped =
  (code: number, text: string, at: number, off = 0, status = 400) =>
  (call: Call): Reply => {
    const bad = Math.min(at, call.ids.length - 1);
    return {
      ...hec(status, code, text, { 'invalid-event-number': bad + off }),
      stores: call.ids.slice(0, bad),
      refuses: POISON.includes(code) ? call.ids.slice(bad, bad + 1) : [],
    };
  };
const held = (name: string, answer: Reply, state: 'authentication_failed' | 'misconfigured', fix: RegExp): Row => ({
  row: `§2.4 ${name}`,
  script: first(() => answer),
  expect: { effect: 'held', state, cause: new RegExp(`Splunk answered .*\\(${answer.status}, code `), fix },
});
const busy = (name: string, answer: (call: Call) => Reply, more: Partial<Row['expect']> = {}): Row => ({
  row: `§2.4 ${name}`,
  script: first(answer),
  expect: { effect: 'kept', state: 'throttled', cause: /Splunk answered “/, fix: /raise the limit/, ...more },
});
const retried = (name: string, answer: (call: Call) => Reply, uncertain?: string): Row => ({
  row: `§2.4 ${name}`,
  script: first(answer),
  expect: { effect: 'kept', state: 'retrying', cause: /Splunk answered “/, fix: /goes on by itself/ },
  ...(uncertain !== undefined && { uncertain }),
});
const dead = (name: string, code: number, text: string, at: number, more: Partial<Row> = {}): Row => ({
  row: name,
  script: first(stopped(code, text, at)),
  expect: {
    ...{ effect: 'delivered', state: 'connected' },
    posts: at === 7 ? 1 : 2,
    deadLetters: { at: [at], reason: new RegExp(`${text}.*\\(400, code ${code}\\)`) },
  },
  calls: (calls) => {
    const [one, two] = calls.filter(({ call }) => call === 'post');
    return at === 7 || two!.ids.join() === one!.ids.slice(at + 1).join();
  },
  ...more,
});
const CREDENTIAL = /Copy the token value again/;
const ENABLE = /Enable the token/;
const PROXY = /a proxy changes the requests/;
const CHANNEL = /Indexer acknowledgement/;
const INDEX = /Add “security” to the token's allowed indexes/;
const ACK = { acknowledge: true };
const isPlain = ({ isCompressed }: Call): boolean => !isCompressed;
const channelOf = ({ headers }: Call): string | undefined => headers['x-splunk-request-channel'];
const channelsOf = (calls: readonly Call[]): readonly (string | undefined)[] =>
  calls.filter(({ call }) => call === 'post').map(channelOf);
const UNCONFIRMED = 'Splunk accepted the batch but did not confirm it within five minutes';

const codes: readonly Row[] = [
  {
    row: '§2.4 200 code 0',
    script: first(andStores(() => hec(200, 0, 'Success'))),
    expect: { effect: 'delivered', state: 'connected' },
  },
  held('403 code 1', hec(403, 1, 'Token disabled'), 'authentication_failed', ENABLE),
  held('401 code 2', hec(401, 2, 'Token is required'), 'authentication_failed', CREDENTIAL),
  held('401 code 3', hec(401, 3, 'Invalid authorization'), 'authentication_failed', CREDENTIAL),
  held('403 code 4', hec(403, 4, 'Invalid token'), 'authentication_failed', CREDENTIAL),
  held('400 code 5', hec(400, 5, 'No data'), 'misconfigured', PROXY),
  dead('§2.4 400 code 6', 6, 'Invalid data format', 4),
  {
    row: '§2.4 400 code 6 without a number: bisected',
    script: poisoned(5, () => hec(400, 6, 'Invalid data format')),
    expect: {
      ...{ effect: 'delivered', state: 'connected', posts: 7 },
      deadLetters: { at: [5], reason: /Invalid data format/ },
    },
  },
  {
    row: '§2.4 400 code 7 names the event after the bad one',
    script: first(stopped(7, 'Incorrect index', 3, 1)),
    expect: { effect: 'held', state: 'misconfigured', cause: /Incorrect index/, fix: INDEX, taken: 3 },
  },
  {
    row: '§2.4 400 code 7 of the first event',
    script: first(stopped(7, 'Incorrect index', 0, 1)),
    expect: { effect: 'held', state: 'misconfigured', cause: /Incorrect index/, fix: INDEX },
  },
  {
    row: '§2.4 400 code 7 of the last event',
    script: first(stopped(7, 'Incorrect index', 7, 1)),
    expect: { effect: 'held', state: 'misconfigured', cause: /Incorrect index/, fix: INDEX, taken: 7 },
  },
  held('400 code 7 without a number', hec(400, 7, 'Incorrect index'), 'misconfigured', INDEX),
  retried('500 code 8', () => hec(500, 8, 'Internal server error')),
  retried(
    '500 code 8, all stored',
    andStores(() => hec(500, 8, 'Internal server error')),
    'a 500 may come after storing',
  ),
  busy('503 code 9', () => hec(503, 9, 'Server is busy')),
  busy('503 code 9 with Retry-After', () => ({ ...hec(503, 9, 'Server is busy'), headers: { 'retry-after': '33' } }), {
    waitsMs: [33_000, 33_000],
  }),
  busy('503 code 9 with a number: resumes there', stopped(9, 'Server is busy', 5, 0, 503), { taken: 5 }),
  busy('503 code 9 with a number beyond the batch', () =>
    hec(503, 9, 'Server is busy', { 'invalid-event-number': 99 }),
  ),
  ...[10, 28].map(
    (code): Row => ({
      row: `§2.4 400 code ${code}: sent again with a channel`,
      script: first((call) => (channelOf(call) ? reply(500) : hec(400, code, 'Data channel is missing'))),
      expect: { effect: 'delivered', state: 'connected', posts: 2 },
      calls: (calls) => {
        const [none, some] = channelsOf(calls);
        return none === undefined && GUID.test(some ?? '') && calls.some(({ call }) => call === 'ack');
      },
    }),
  ),
  ...[10, 28].map(
    (code): Row => ({
      ...held(
        `400 code ${code} although there is a channel`,
        hec(400, code, 'Data channel is missing'),
        'misconfigured',
        CHANNEL,
      ),
      settings: ACK,
    }),
  ),
  held('400 code 11', hec(400, 11, 'Invalid data channel'), 'misconfigured', PROXY),
  dead('§2.4 400 code 12', 12, 'Event field is required', 2),
  dead('§2.4 400 code 13', 13, 'Event field cannot be blank', 0),
  dead('§2.4 400 code 15', 15, 'Error in handling indexed fields', 7),
  held('400 code 14 to a post', hec(400, 14, 'ACK is disabled'), 'misconfigured', CHANNEL),
  held('400 code 16', hec(400, 16, 'Query string authorization is not enabled'), 'misconfigured', PROXY),
  ...[18, 19, 20].map((code) => busy(`503 code ${code}`, () => hec(503, code, 'HEC is unhealthy, queues are full'))),
  held('400 code 21', hec(400, 21, 'Invalid token'), 'authentication_failed', CREDENTIAL),
  held('400 code 22', hec(400, 22, 'Token disabled'), 'authentication_failed', ENABLE),
  retried('503 code 23', () => hec(503, 23, 'Server is shutting down')),
  ...[24, 25].map(
    (code): Row => ({
      row: `§2.4 200 code ${code}: taken, with a warning`,
      script: first(andStores(() => hec(200, code, 'HEC queue is approaching its capacity limit'))),
      expect: { effect: 'delivered', state: 'connected', cause: /approaching its capacity limit/ },
    }),
  ),
  busy('429 code 26', () => hec(429, 26, 'HEC queue is at capacity and cannot process any more requests')),
  {
    ...busy('429 code 27: another channel', () => hec(429, 27, 'HEC ACK channel is at capacity')),
    settings: ACK,
    calls: (calls) => new Set(channelsOf(calls)).size === 2,
  },
  {
    row: '§2.4 413',
    script: beyond(2, () => reply(413, { text: 'Request entity too large' })),
    expect: { effect: 'delivered', state: 'connected', posts: 7 },
  },
  ...[404, 405].map(
    (status): Row => ({
      row: `§2.4 ${status}`,
      script: first(() => hec(status, 404, 'The requested URL was not found on this server.')),
      expect: {
        effect: 'held',
        state: 'misconfigured',
        cause: new RegExp(`answered ${status}`),
        fix: /host, port and path/,
      },
    }),
  ),
  {
    row: '§2.4 415: sent again uncompressed',
    script: first(() => reply(415, '<html><body>Unsupported</body></html>', { 'content-type': 'text/html' })),
    expect: { effect: 'delivered', state: 'connected', posts: 2 },
    calls: (calls) => calls[0]!.isCompressed && calls.slice(1).every(isPlain) && calls[0]!.bytes === calls[1]!.bytes,
  },
];

const partly: readonly Row[] = [
  dead('§2.5 the first of eight', 12, 'Event field is required', 0),
  dead('§2.5 the last of eight', 12, 'Event field is required', 7),
  dead('§2.5 with acknowledgement: the part before is confirmed too', 12, 'Event field is required', 3, {
    settings: ACK,
    script: first((call) => {
      const answer = stopped(12, 'Event field is required', 3)(call);
      return { ...answer, body: { ...(answer.body as object), ackId: 77 } };
    }),
    calls: (calls) => calls.filter(({ call }) => call === 'ack').length >= 2,
  }),
  {
    row: '§2.5 one after another, since only the first is reported',
    script: first((call) => stopped(13, 'Event field cannot be blank', 1)(call), 3),
    expect: {
      ...{ effect: 'delivered', state: 'connected', posts: 4 },
      deadLetters: { at: [1, 3, 5], reason: /cannot be blank/ },
    },
  },
  {
    row: '§2.6 code 6 of event 0 and a large body: about the size, split',
    events: { count: 900, padding: 700 },
    script: beyond(300, () => hec(400, 6, 'Invalid data format', { 'invalid-event-number': 0 })),
    expect: { effect: 'delivered', state: 'connected', posts: 6 },
  },
];

/** Section 2.7: a token with indexer acknowledgement. */
const acknowledged: readonly Row[] = [
  {
    row: '§2.7 confirmed at the third question',
    settings: ACK,
    script: strikes('ack', () => reply(200, { acks: { 0: false } }), 2),
    expect: { effect: 'delivered', state: 'connected' },
    calls: (calls) => calls.filter(({ call }) => call === 'ack').length === 3 && new Set(channelsOf(calls)).size === 1,
  },
  ...[500, 503, 404, 429].map(
    (status): Row => ({
      row: `§2.7 ${status} to a question: asked again`,
      settings: ACK,
      script: strikes('ack', () => reply(status, { text: 'no' }), 2),
      expect: { effect: 'delivered', state: 'connected' },
    }),
  ),
  {
    row: '§2.4 400 code 14 to a question: taken',
    settings: ACK,
    script: strikes('ack', () => hec(400, 14, 'ACK is disabled'), 1),
    expect: { effect: 'delivered', state: 'connected' },
    calls: (calls) => calls.filter(({ call }) => call === 'ack').length === 1,
  },
  {
    row: '§2.7 not confirmed within five minutes: sent once more, confirmed',
    settings: ACK,
    uncertain: UNCONFIRMED,
    script: unconfirmed(1),
    expect: { effect: 'kept', state: 'retrying', cause: /did not confirm within 5 min/ },
  },
  {
    row: '§2.7 never confirmed: sent once more, then taken with a warning',
    settings: ACK,
    uncertain: UNCONFIRMED,
    script: unconfirmed(2),
    expect: { effect: 'kept', state: 'retrying', cause: /did not confirm within 5 min/ },
    calls: (calls) => calls.filter(({ call }) => call === 'post').length === 2,
  },
  {
    row: '§2.7 cookies of a balancer lead back to the same indexer',
    settings: ACK,
    script: first((call) => ({
      ...reply(200, { text: 'Success', code: 0, ackId: 5 }, { 'set-cookie': ['AWSALB=one; Path=/', 'node=two'] }),
      stores: call.ids,
    })),
    expect: { effect: 'delivered', state: 'connected' },
    calls: (calls) => calls.slice(1).every(({ headers }) => headers['cookie'] === 'AWSALB=one; node=two'),
  },
];

/** The first `posts` posts are taken, and every question about them is answered with no. */
function unconfirmed(posts: number): Row['script'] {
  return () => {
    let left = posts + 1;
    return (call) => {
      if (call.call === 'post') left--;
      return call.call === 'ack' && left > 0 ? reply(200, { acks: {} }) : null;
    };
  };
}

export const splunk: Siem = {
  kind: 'splunk',
  settings: (url) => ({ endpointUrl: url, token: TOKEN, index: 'security' }),
  read: (request) => read(request),
  rows: [...commonRows('Splunk'), ...codes, ...partly, ...acknowledged],
};

function read({ method, path, query, headers, text }: Arrived): Understood {
  if (method !== 'POST' || headers['authorization'] !== `Splunk ${TOKEN}`) throw new Error(`${method} ${path}`);
  const channel = headers['x-splunk-request-channel'];
  if (channel !== undefined && !GUID.test(channel)) throw new Error(`the channel is no GUID: ${channel}`);
  if (path === '/services/collector/ack') {
    const asked: unknown = JSON.parse(text);
    if (!isObject(asked) || !Array.isArray(asked['acks']) || query.get('channel') !== channel) throw new Error(text);
    const acks = Object.fromEntries(asked['acks'].map((id) => [id, true]));
    return { call: 'ack', ids: [], answer: () => reply(200, { acks }) };
  }
  if (path !== '/services/collector/event') throw new Error(`POST ${path}`);
  if (text === '') return { call: 'check', ids: [], answer: () => hec(400, 5, 'No data') };
  const envelopes = objectsIn(text);
  const ids = envelopes.map((envelope) => idOf(envelope['event']));
  // The trap: an unknown key, and this object and all that follow are not indexed although the answer is 200.
  const odd = envelopes.findIndex((envelope) => Object.keys(envelope).some((key) => !ENVELOPE.includes(key)));
  if (envelopes.some(({ index }) => index !== 'security')) throw new Error('not the index of the settings');
  if (/"time":[^,]*[eE]/.test(text)) throw new Error('a time with an exponent');
  return {
    ...{ call: 'post', ids, stores: odd < 0 ? ids : ids.slice(0, odd) },
    answer: (stored) => hec(200, 0, 'Success', channel === undefined ? {} : { ackId: stored.size }),
  };
}

/** JSON objects written one after another, with whatever whitespace between. */
function objectsIn(text: string): Record<string, unknown>[] {
  const objects: Record<string, unknown>[] = [];
  let depth = 0;
  let start = 0;
  let isText = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (isText && character === '\\') i++;
    else if (character === '"') isText = !isText;
    else if (!isText && character === '{' && depth++ === 0) start = i;
    else if (!isText && character === '}' && --depth === 0) {
      const value: unknown = JSON.parse(text.slice(start, i + 1));
      if (!isObject(value)) throw new Error('no object');
      objects.push(value);
    }
  }
  return objects;
}
