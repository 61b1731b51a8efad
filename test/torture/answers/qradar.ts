import { eventOfLeef, parseLeef } from '../../../src/destinations/qradar/parse-leef.ts';
import { commonRows } from './common.ts';
import { andStores, beyond, first, poisoned, type Reply, type Row, reply } from './row.ts';
import { idOf, type Siem } from './siem.ts';

const TOKEN = 'sec-token-of-the-log-source';
/** QRadar's default Max Payload Length: a longer event is cut into several. */
const PAYLOAD_BYTES = 8_192;

const COMPARE = /compare the name and the value of the HTTP authentication token header/;
/** The console's REST API, whose answers come when its address was entered instead of the receiver's. */
const ofConsole = (status: number, code: number, message: string): Reply =>
  reply(status, { http_response: { code: status, message: 'no' }, code, description: '', details: {}, message });
const held = (name: string, answer: Reply, state: 'authentication_failed' | 'misconfigured', fix: RegExp): Row => ({
  row: name,
  script: first(() => answer),
  expect: { effect: 'held', state, cause: new RegExp(`QRadar.*${answer.status}`), fix },
});

const receiver: readonly Row[] = [
  ...[200, 201, 202, 204].map(
    (status): Row => ({
      row: `§4.3 ${status}`,
      script: first(andStores(() => reply(status, status === 200 ? 'OK' : undefined))),
      expect: { effect: 'delivered', state: 'connected' },
    }),
  ),
  held('§4.3 401', reply(401, 'Unauthorized'), 'authentication_failed', COMPARE),
  held('§4.3 403', reply(403, 'Forbidden'), 'authentication_failed', COMPARE),
  ...[404, 405].map((status) =>
    held(`§4.3 ${status}`, reply(status, ''), 'misconfigured', /Check host, port and path/),
  ),
  {
    row: '§4.3 413',
    script: beyond(1, () => reply(413, 'too large')),
    expect: { effect: 'delivered', state: 'connected', posts: 15 },
  },
  {
    row: '§4.3 400 for one event',
    script: poisoned(2, () => reply(400, 'Bad Request')),
    expect: { effect: 'delivered', state: 'connected', posts: 7, deadLetters: { at: [2], reason: /answered 400/ } },
  },
  {
    row: '§4.3 429',
    script: first(() => reply(429, 'over the EPS throttle')),
    expect: { effect: 'kept', state: 'throttled', cause: /429/ },
  },
  {
    row: '§4.3 5xx, all stored',
    script: first(andStores(() => reply(500, 'no'))),
    expect: { effect: 'kept', state: 'retrying', cause: /500/ },
    uncertain: 'a 500 may come after storing',
  },
];

const ofTheConsole: readonly Row[] = [
  held('§4.2 401 code 18', ofConsole(401, 18, 'No SEC header present in request.'), 'authentication_failed', COMPARE),
  held(
    '§4.2 403 code 26',
    ofConsole(403, 26, 'User has insufficient capabilities to access this endpoint resource'),
    'authentication_failed',
    COMPARE,
  ),
  ...[8, 1005].map(
    (code): Row => ({
      row: `§4.2 422 code ${code}, to every event: a setting, not the events`,
      events: { count: 16 },
      script: beyond(0, () => ofConsole(422, code, 'A request parameter is not valid')),
      expect: {
        ...{ effect: 'held', state: 'misconfigured', isProbed: true, posts: 21 },
        ...{ cause: /refused 10 events in a row/, fix: /log source/ },
      },
    }),
  ),
  {
    row: '§4.2 5xx',
    script: first(() => ofConsole(503, 0, 'starting')),
    expect: { effect: 'kept', state: 'retrying', cause: /503/ },
  },
];

const traps: readonly Row[] = [
  {
    row: '§4.7 events beyond 8 KB are cut and marked here, not in the middle there',
    events: { count: 6, padding: 30_000 },
    script: first(() => reply(503, 'starting')),
    expect: { effect: 'kept', state: 'retrying' },
    calls: (calls) => calls.every(({ bytes }) => bytes < 6 * (PAYLOAD_BYTES + 1)),
  },
  {
    row: '§4.7 the same in LEEF',
    events: { count: 6, padding: 30_000 },
    settings: { payload: 'leef' },
    script: first(() => reply(503, 'starting')),
    expect: { effect: 'kept', state: 'retrying' },
  },
  {
    row: '§4.7 what identifies an event is beyond 8 KB',
    events: { count: 3, actorId: 'x'.repeat(9_000) },
    script: () => () => null,
    expect: {
      ...{ effect: 'delivered', state: 'pending', posts: 0 },
      deadLetters: { at: [0, 1, 2], reason: /longer than Max Payload Length, 8192 bytes/ },
    },
  },
  {
    row: '§4.3 LEEF',
    settings: { payload: 'leef' },
    script: first(andStores(() => reply(200))),
    expect: { effect: 'delivered', state: 'connected' },
  },
];

const IS_CHECKED = { isCheckedByConnecting: true };

/** The HTTP Receiver: any body becomes events, one a line; it reads no coding but identity. */
export const qradar: Siem = {
  kind: 'qradar',
  settings: (url) => ({ endpointUrl: url, secToken: TOKEN, logSource: 'trailproof' }),
  read({ method, path, headers, text }) {
    if (method !== 'POST' || headers['sec'] !== TOKEN) throw new Error(`${method} ${path} without the token`);
    if (headers['content-encoding'] !== undefined) throw new Error('compressed');
    const lines = text.split('\n');
    if (lines.some((line) => line === '')) throw new Error('an empty event');
    const whole = lines.filter((line) => Buffer.byteLength(line) <= PAYLOAD_BYTES);
    return { call: 'post', ids: lines.map(idOfLine), stores: whole.map(idOfLine), answer: () => reply(200) };
  },
  rows: [...commonRows('QRadar'), ...receiver, ...ofTheConsole, ...traps].map((row) => ({ ...IS_CHECKED, ...row })),
};

function idOfLine(line: string): string {
  if (line.startsWith('{"timestamp":"')) return idOf(JSON.parse(line));
  const leef = parseLeef(line);
  if (leef?.host !== 'trailproof') throw new Error(`neither pattern nor LEEF: ${line.slice(0, 80)}`);
  return idOf(eventOfLeef(leef));
}
