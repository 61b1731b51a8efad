import { commonRows } from './common.ts';
import { beyond, type Call, first, poisoned, type Reply, type Row, reply, strikes } from './row.ts';
import { isObject, type Siem, type Understood } from './siem.ts';

const INDEX = 'logs-acme.audit-default';
const KEY = Buffer.from('key-id:key-secret').toString('base64');
const PRODUCT = { 'x-elastic-product': 'Elasticsearch' };

/** An item's verdict: its status, and type and reason of its error. */
interface Item {
  readonly status: number;
  readonly type?: string;
  readonly reason?: string;
  readonly failureStore?: string;
}
const CREATED: Item = { status: 201 };
const CONFLICT: Item = { status: 409, type: 'version_conflict_engine_exception', reason: 'document already exists' };
const BUSY: Item = { status: 429, type: 'es_rejected_execution_exception', reason: 'rejected execution' };
const SHARDS: Item = { status: 503, type: 'unavailable_shards_exception', reason: 'primary shard is not active' };
const NO_SHARD: Item = { status: 503, type: 'no_shard_available_action_exception', reason: 'no shard' };
const PARSING: Item = {
  status: 400,
  type: 'document_parsing_exception',
  reason: "[1:42] failed to parse field [source.ip] of type [ip]. Preview of field's value: 'x'",
};
const NO_INDEX: Item = { status: 404, type: 'index_not_found_exception', reason: `no such index [${INDEX}]` };
const UNAUTHORIZED = `action [indices:data/write/bulk[s]] is unauthorized for API key id [k] of user [u] on indices [${INDEX}], this action is granted by the index privileges [create_doc,create,index,write,all]`;
const FORBIDDEN: Item = { status: 403, type: 'security_exception', reason: UNAUTHORIZED };
const DIVERTED: Item = { status: 201, failureStore: 'used' };

/** A 200 with a verdict per event; what is created is stored, and what is said to be there is. */
function bulk(call: Call, verdict: (place: number) => Item, errors?: boolean): Reply {
  const verdicts = call.ids.map((_, place) => verdict(place));
  const items = verdicts.map(({ status, type, reason, failureStore }, place) => ({
    create: {
      _index: failureStore === 'used' ? `.fs-${INDEX}-000001` : `.ds-${INDEX}-000001`,
      _id: failureStore === 'used' ? `another-id-${place}` : call.ids[place],
      status,
      ...(failureStore !== undefined && { failure_store: failureStore }),
      ...(type !== undefined && { error: { type, reason } }),
    },
  }));
  const where = (isWanted: (item: Item) => boolean): string[] =>
    call.ids.filter((_, place) => isWanted(verdicts[place]!));
  return {
    ...reply(200, { took: 3, errors: errors ?? verdicts.some(({ type }) => type !== undefined), items }, PRODUCT),
    stores: where(({ status, failureStore }) => [201, 409].includes(status) && failureStore !== 'used'),
    diverts: where(({ failureStore }) => failureStore === 'used'),
    refuses: where(({ status, failureStore }) => status === 400 || failureStore === 'used'),
  };
}

/** The item at one place has this verdict, the others are created. */
const oneItem = (name: string, item: Item, expect: Row['expect'], more: Partial<Row> = {}): Row => ({
  row: `§3.5 item ${name}`,
  script: first((call) => bulk(call, (place) => (place === 3 ? item : CREATED))),
  expect,
  ...more,
});
const rejected = (name: string, item: Item, reason: RegExp): Row =>
  oneItem(name, item, { effect: 'delivered', state: 'connected', deadLetters: { at: [3], reason } });
const heldItem = (name: string, item: Item, state: 'misconfigured' | 'authentication_failed', fix: RegExp): Row => ({
  row: `§3.5 item ${name}`,
  script: first((call) => bulk(call, (place) => (place < 5 ? CREATED : item))),
  expect: { effect: 'held', state, cause: new RegExp(item.type ?? ''), fix, taken: 5 },
});
const again = (name: string, item: Item, state: 'throttled' | 'retrying'): readonly Row[] => [
  {
    row: `§3.5 item ${name}: only it again`,
    script: first((call) => bulk(call, (place) => (place < 6 ? CREATED : item))),
    expect: { effect: 'kept', state, cause: new RegExp(item.type ?? ''), taken: 6 },
  },
  {
    row: `§3.5 every item ${name}`,
    script: first((call) => bulk(call, () => item)),
    expect: { effect: 'kept', state, cause: /takes nothing at the moment/ },
  },
];
const failed = (status: number, type: string, reason: string): Reply =>
  reply(status, { error: { root_cause: [{ type, reason }], type, reason }, status }, PRODUCT);
const held = (
  name: string,
  answer: Reply,
  state: 'misconfigured' | 'authentication_failed',
  cause: RegExp,
  fix: RegExp,
): Row => ({
  row: `§3.5 request ${name}`,
  script: first(() => answer),
  expect: { effect: 'held', state, cause, fix },
});

const requests: readonly Row[] = [
  held(
    '401 unable to authenticate',
    failed(401, 'security_exception', `unable to authenticate with provided credentials [${KEY}]`),
    'authentication_failed',
    /security_exception: unable to authenticate with provided credentials \[\[secret\]\]/,
    /Create an API key in Kibana/,
  ),
  held(
    '401 missing credentials',
    failed(401, 'security_exception', 'missing authentication credentials for REST request'),
    'authentication_failed',
    /security_exception/,
    /Create an API key in Kibana/,
  ),
  held(
    '403',
    failed(403, 'security_exception', UNAUTHORIZED),
    'authentication_failed',
    /security_exception/,
    new RegExp(`index privilege create_doc on ${INDEX}`),
  ),
  held(
    '404',
    failed(404, 'index_not_found_exception', 'no such index'),
    'misconfigured',
    /no such index/,
    /Create the/,
  ),
  held('404 of another server', reply(404, 'not here'), 'misconfigured', /404/, /Check host, port and path/),
  held('406', failed(406, 'media_type_header_exception', 'Accept'), 'misconfigured', /406/, /Check the endpoint URL/),
  held('415', failed(415, 'media_type_header_exception', 'Type'), 'misconfigured', /415/, /Check the endpoint URL/),
  {
    row: '§3.5 request 400 for one event',
    script: poisoned(6, () => failed(400, 'illegal_argument_exception', 'Malformed action/metadata line [13]')),
    expect: {
      ...{ effect: 'delivered', state: 'connected', posts: 7 },
      deadLetters: { at: [6], reason: /Elasticsearch answered 400/ },
    },
  },
  {
    row: '§3.5 request 400 for every event: a setting, not the events',
    events: { count: 24 },
    script: beyond(0, () => failed(400, 'illegal_argument_exception', 'The bulk request must be terminated by \\n')),
    expect: {
      ...{ effect: 'held', state: 'misconfigured', isProbed: true },
      ...{ cause: /refused 10 events in a row/, fix: /Correct the settings/, posts: 22 },
    },
  },
  {
    row: '§3.5 request 400 for a parameter that versions before 8.18 do not know',
    script: first((call) =>
      call.query.has('include_source_on_error')
        ? failed(
            400,
            'illegal_argument_exception',
            'request [/_bulk] contains unrecognized parameter: [include_source_on_error]',
          )
        : bulk(call, () => CREATED),
    ),
    expect: { effect: 'delivered', state: 'connected', posts: 2 },
  },
  {
    row: '§3.5 request 413',
    script: beyond(4, () => reply(413, '')),
    expect: { effect: 'delivered', state: 'connected', posts: 3 },
  },
  ...['es_rejected_execution_exception', 'circuit_breaking_exception'].map(
    (type): Row => ({
      row: `§3.5 request 429 ${type}`,
      script: first(() => failed(429, type, 'rejected')),
      expect: { effect: 'kept', state: 'throttled', cause: /429/ },
    }),
  ),
  ...[500, 502, 503, 504].map(
    (status): Row => ({
      row: `§3.5 request ${status}, all stored: the ids make it safe`,
      script: first((call) => ({ ...failed(status, 'exception', 'broken'), stores: call.ids })),
      expect: { effect: 'kept', state: 'retrying', cause: new RegExp(`${status}`) },
    }),
  ),
];

const items: readonly Row[] = [
  oneItem('201', CREATED, { effect: 'delivered', state: 'connected' }),
  {
    row: '§3.5 item 409: already there',
    script: first((call) => bulk(call, () => CONFLICT)),
    expect: { effect: 'delivered', state: 'connected' },
  },
  ...again('429', BUSY, 'throttled'),
  ...again('503 unavailable_shards_exception', SHARDS, 'retrying'),
  ...again('503 no_shard_available_action_exception', NO_SHARD, 'retrying'),
  ...again('500', { status: 500, type: 'exception', reason: 'broken' }, 'retrying'),
  ...[
    'document_parsing_exception',
    'mapper_parsing_exception',
    'strict_dynamic_mapping_exception',
    'illegal_argument_exception',
  ].map((type) =>
    rejected(
      `400 ${type}`,
      { ...PARSING, type },
      new RegExp(`refused it: ${type}: .*\\[source.ip\\] of type \\[ip\\]`),
    ),
  ),
  rejected(
    '400 without @timestamp',
    { ...PARSING, reason: 'data stream timestamp field [@timestamp] is missing' },
    /@timestamp/,
  ),
  rejected(
    '400 only create',
    {
      status: 400,
      type: 'illegal_argument_exception',
      reason: 'only write ops with an op_type of create are allowed in data streams',
    },
    /only write ops/,
  ),
  {
    row: '§3.5 item 400, every item alike: a setting, not the events',
    events: { count: 12 },
    script: beyond(0, (call) => bulk(call, () => PARSING)),
    expect: {
      ...{ effect: 'held', state: 'misconfigured', isProbed: true },
      ...{ cause: /refused 10 events in a row/, fix: /Correct the settings/ },
    },
  },
  heldItem('404 index_not_found_exception', NO_INDEX, 'misconfigured', /it is not created by itself/),
  heldItem('403 security_exception', FORBIDDEN, 'authentication_failed', /index privilege create_doc/),
  heldItem('401 security_exception', { ...FORBIDDEN, status: 401 }, 'authentication_failed', /Create an API key/),
  {
    row: '§3.5 items of all sorts in one answer',
    script: first((call) =>
      bulk(call, (place) => [CREATED, CONFLICT, PARSING, CREATED, DIVERTED, CREATED][place] ?? BUSY),
    ),
    expect: {
      ...{ effect: 'kept', state: 'throttled', cause: /asks for 2 again/, taken: 4, resumesAt: 6 },
      deadLetters: { at: [2, 4], reason: /source.ip|failure store/ },
    },
  },
];

const traps: readonly Row[] = [
  {
    row: '§1.3 §3.6 failure store used, errors:false',
    script: first((call) => bulk(call, (place) => (place % 4 === 1 ? DIVERTED : CREATED), false)),
    expect: {
      ...{ effect: 'delivered', state: 'connected' },
      deadLetters: { at: [1, 5], reason: new RegExp(`keeps it in the failure store: query ${INDEX}::failures`) },
    },
  },
  {
    row: '§3.6 failure store not enabled or not concerned',
    script: first((call) =>
      bulk(call, (place) => ({ ...CREATED, failureStore: ['not_enabled', 'not_applicable_or_unknown'][place % 2]! })),
    ),
    expect: { effect: 'delivered', state: 'connected' },
  },
  {
    row: '§3.6 failure store failed',
    script: first((call) => bulk(call, (place) => (place === 0 ? { ...PARSING, failureStore: 'failed' } : CREATED))),
    expect: { effect: 'delivered', state: 'connected', deadLetters: { at: [0], reason: /document_parsing_exception/ } },
  },
  {
    row: '§3.4 a failed item although errors is false',
    script: first((call) => bulk(call, (place) => (place === 2 ? PARSING : CREATED), false)),
    expect: { effect: 'delivered', state: 'connected', deadLetters: { at: [2], reason: /source.ip/ } },
  },
  {
    row: '§3.4 fewer items than events',
    script: first((call) => ({ ...bulk({ ...call, ids: call.ids.slice(0, 5) }, () => CREATED), stores: call.ids })),
    expect: { effect: 'kept', state: 'retrying', cause: /answered for 5 of 8 events/ },
  },
  {
    row: '§3.4 200 without items',
    script: first(() => reply(200, { took: 1, errors: false }, PRODUCT)),
    expect: { effect: 'held', state: 'misconfigured', cause: /200/, fix: /not Elasticsearch's API/ },
  },
  {
    row: '§3.8 the key is still refused at the re-check',
    script: () => {
      let left = 3;
      return () => (left-- > 0 ? failed(401, 'security_exception', 'unable to authenticate') : null);
    },
    expect: { effect: 'held', state: 'authentication_failed', fix: /Create an API key/ },
    calls: (calls) => calls.filter(({ call }) => call === 'check').length === 4,
  },
  {
    row: '§3.8 the privilege is still missing at the re-check',
    script: () => {
      let left = 2;
      return (call) => {
        if (call.call === 'post') return left === 2 ? failed(403, 'security_exception', UNAUTHORIZED) : null;
        if (!call.path.endsWith('_has_privileges') || left-- <= 0) return null;
        return reply(200, {
          has_all_requested: false,
          index: { [INDEX]: { create_doc: false, auto_configure: false } },
        });
      };
    },
    expect: { effect: 'held', state: 'authentication_failed', fix: /create_doc/ },
    calls: (calls) => calls.filter(({ path }) => path.endsWith('_has_privileges')).length === 3,
  },
  {
    row: '§3.8 a server that knows no check',
    script: () => {
      const forbids = strikes('post', () => failed(401, 'security_exception', 'no'))();
      return (call) => (call.call === 'check' ? reply(404, { message: 'no handler' }) : forbids(call));
    },
    expect: { effect: 'held', state: 'authentication_failed' },
  },
];

export const elastic: Siem = {
  kind: 'elastic',
  deduplicates: true,
  settings: (url) => ({ endpointUrl: url, apiKey: KEY, index: INDEX }),
  read({ method, path, headers, text }): Understood {
    if (headers['authorization'] !== `ApiKey ${KEY}`) throw new Error('no API key');
    const check = (body: object): Understood => ({ call: 'check', ids: [], answer: () => reply(200, body, PRODUCT) });
    if (`${method} ${path}` === 'GET /_security/_authenticate') return check({ username: 'audit', enabled: true });
    if (`${method} ${path}` === 'POST /_security/user/_has_privileges')
      return check({ has_all_requested: true, index: { [INDEX]: { create_doc: true, auto_configure: true } } });
    if (`${method} ${path}` !== `POST /${INDEX}/_bulk`) throw new Error(`${method} ${path}`);
    const ids = idsIn(text);
    return {
      ...{ call: 'post', ids },
      answer: (stored) => {
        const items = ids.map((_id) => ({ create: { _index: INDEX, _id, ...verdictOf(stored.has(_id)) } }));
        return reply(200, { took: 1, errors: ids.some((id) => stored.has(id)), items }, PRODUCT);
      },
    };
  },
  rows: [...commonRows('Elasticsearch'), ...requests, ...items, ...traps],
};

function verdictOf(isThere: boolean): object {
  const { status, type, reason } = CONFLICT;
  return isThere ? { status, error: { type, reason } } : { status: 201, result: 'created', _version: 1 };
}

/** Pairs of lines, each ended by a line feed, the last one too; only `create`, with an id, and a time in each document. */
function idsIn(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length % 2 !== 0) throw new Error('The bulk request must be terminated by a newline');
  return lines.flatMap((line, i) => {
    const value: unknown = JSON.parse(line);
    if (!isObject(value)) throw new Error('no object');
    if (i % 2 === 1) {
      if (Number.isNaN(Date.parse(String(value['@timestamp'])))) throw new Error('a document without @timestamp');
      return [];
    }
    const { create } = value;
    if (!isObject(create) || typeof create['_id'] !== 'string') throw new Error(`no create with an id: ${line}`);
    return [create['_id']];
  });
}
