import { randomUUID } from 'node:crypto';
import type { StandIn, StandInOptions } from '../destination.ts';
import {
  type ReceivedStore,
  type StandInAnswer,
  type StandInRequest,
  type StandInRequestHead,
  startStandInServer,
  type VendorFault,
} from '../stand-in-server.ts';

export interface ElasticStandInOptions extends StandInOptions {
  /** Refused documents go to the failure store and are answered as created. Default false. */
  readonly failureStore?: boolean;
  /** A release before 8.18, which refuses `include_source_on_error`. Default false. */
  readonly isBefore818?: boolean;
}

/**
 * Elasticsearch as far as a sender of logs meets it: bulk requests, and the calls that check an API key. Documents are
 * kept by `_id`. The traps are the vendor's: a final newline, `create` alone in data streams, 409 for a repeat,
 * refusals of single items in a 200, the failure store.
 */
export function startElasticStandIn(options: ElasticStandInOptions): Promise<StandIn> {
  return startStandInServer(options, {
    handle: (request, store) => asElasticsearch(request, route(request, store, options)),
    faultAnswer: (kind, request) =>
      asElasticsearch(
        request,
        kind === 'forbidden' && request.path === PRIVILEGES ? privileges([INDEX], false) : faultAnswers[kind],
      ),
    strikes: (kind, { path }) =>
      path.endsWith('/_bulk') ||
      (kind === 'forbidden' ? path === PRIVILEGES : !['too_large', 'refuse', 'reject_items'].includes(kind)),
    settings: (endpointUrl, caCertificate) => ({
      endpointUrl,
      apiKey: API_KEY,
      index: INDEX,
      ...(caCertificate === undefined ? {} : { caCertificate }),
    }),
  });
}

const INDEX = 'logs-trailproof.audit-default';
const KEY_ID = 'stand-in';
const API_KEY = Buffer.from(`${KEY_ID}:key-of-the-elastic-stand-in`).toString('base64');
const PRIVILEGES = '/_security/user/_has_privileges';

const MEDIA_TYPE =
  /^application\/(x-ndjson|json|vnd\.elasticsearch\+(x-nd)?json; ?compatible-with=\d+)(; ?charset=utf-8)?$/i;
const BULK_PARAMETERS = [
  'include_source_on_error',
  'pipeline',
  'refresh',
  'timeout',
  'require_data_stream',
  'require_alias',
  'wait_for_active_shards',
  'list_executed_pipelines',
  'routing',
  'filter_path',
  'error_trace',
  'human',
  'pretty',
];
/** Names of which the built-in templates make data streams. */
const DATA_STREAM = /^(logs|metrics|traces)-[^-]+-.+$/;

function route(request: StandInRequest, store: ReceivedStore, options: ElasticStandInOptions): StandInAnswer {
  const { method, path, headers } = request;
  if (headers['authorization'] !== `ApiKey ${API_KEY}`) return faultAnswers.unauthorized;
  const bulk = /^(?:\/([^/_][^/]*))?\/_bulk$/.exec(path);
  if (bulk && /^(POST|PUT)$/.test(method))
    return bulkAnswer(request, decodeURIComponent(bulk[1] ?? ''), store, options);
  switch (`${method} ${path}`) {
    case 'HEAD /':
      return { status: 200 };
    case 'GET /':
      return { status: 200, body: INFO };
    case 'GET /_security/_authenticate':
      return { status: 200, body: AUTHENTICATED };
    case `POST ${PRIVILEGES}`:
    case `GET ${PRIVILEGES}`: {
      const asked = parse(request.body.toString());
      const names = isObject(asked) && Array.isArray(asked['index']) ? asked['index'].flatMap(namesOf) : [];
      return privileges(names, true);
    }
  }
  return failure(400, 'illegal_argument_exception', `no handler found for uri [${request.url}] and method [${method}]`);
}

function bulkAnswer(
  request: StandInRequest,
  target: string,
  store: ReceivedStore,
  options: ElasticStandInOptions,
): StandInAnswer {
  const { query, headers } = request;
  const unknown = [...query.keys()].find(
    (name) => !BULK_PARAMETERS.includes(name) || (options.isBefore818 && name === 'include_source_on_error'),
  );
  if (unknown !== undefined)
    return failure(
      400,
      'illegal_argument_exception',
      `request [${request.path}] contains unrecognized parameter: [${unknown}]`,
    );
  if (!MEDIA_TYPE.test(headers['content-type'] ?? ''))
    return {
      status: 406,
      body: { error: `Content-Type header [${headers['content-type']}] is not supported`, status: 406 },
    };
  const text = request.body.toString();
  if (!text.endsWith('\n'))
    return failure(400, 'illegal_argument_exception', 'The bulk request must be terminated by a newline [\\n]');

  const lines = text.split('\n').slice(0, -1);
  const items: Record<string, BulkItem>[] = [];
  for (let line = 0; line < lines.length; line += 2) {
    const action = parse(lines[line]!);
    const [operation, about] = (isObject(action) && Object.entries(action)[0]) || ['', undefined];
    if (!/^(create|index)$/.test(operation) || !isObject(about))
      return failure(
        400,
        'illegal_argument_exception',
        `Malformed action/metadata line [${line + 1}], expected field [create], [delete], [index] or [update]`,
      );
    const index = typeof about['_index'] === 'string' ? about['_index'] : target;
    const id = typeof about['_id'] === 'string' ? about['_id'] : randomUUID();
    items.push({ [operation]: write(operation, index, id, lines[line + 1] ?? '', store, options) });
  }
  const errors = items.some((item) => Object.values(item).some(({ error }) => error));
  const answer = { took: 3, errors, items };
  const paths = query
    .get('filter_path')
    ?.split(',')
    .map((path) => path.split('.'));
  return { status: 200, body: paths ? filtered(answer, paths) : answer };
}

/** What `filter_path` leaves of an answer: of lists each item, `*` is any name. Only errors are always answered whole. */
function filtered(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) return value.map((item) => filtered(item, paths)).filter((item) => item !== undefined);
  if (!isObject(value)) return undefined;
  const kept = Object.entries(value).map(([name, inner]) => {
    const rest = paths.filter(([first]) => first === '*' || first === name).map(([, ...names]) => names);
    return [name, rest.length > 0 ? filtered(inner, rest) : undefined] as const;
  });
  const found = kept.filter(([, inner]) => inner !== undefined);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

interface BulkItem {
  readonly _index: string;
  readonly _id: string;
  readonly status: number;
  readonly error?: { readonly type: string; readonly reason: string };
  readonly [more: string]: unknown;
}

/** Writes one document, or says why not. */
function write(
  operation: string,
  index: string,
  id: string,
  source: string,
  store: ReceivedStore,
  options: ElasticStandInOptions,
): BulkItem {
  const isStream = DATA_STREAM.test(index);
  const backing = isStream ? `.ds-${index}-2026.01.01-000001` : index;
  const refused = (status: number, type: string, reason: string): BulkItem => ({
    _index: backing,
    _id: id,
    status,
    error: { type, reason },
  });
  if (isStream && operation !== 'create')
    return refused(
      400,
      'illegal_argument_exception',
      'only write ops with an op_type of create are allowed in data streams',
    );
  if (operation === 'create' && store.has(id)) {
    store.ignoreDuplicate();
    const reason = `[${id}]: version conflict, document already exists (current version [1])`;
    return refused(409, 'version_conflict_engine_exception', reason);
  }
  const document = parse(source);
  const fault = !isObject(document)
    ? `[1:1] failed to parse in document with id '${id}'`
    : isStream && !isTime(document['@timestamp'])
      ? `[1:1] data stream timestamp field [@timestamp] is missing in document with id '${id}'`
      : store.wantsRejected(id)
        ? `[1:42] failed to parse field [source.ip] of type [ip] in document with id '${id}'. Preview of field's value: 'secret'`
        : undefined;
  if (fault !== undefined) {
    store.reject();
    if (!options.failureStore || !isStream) return refused(400, 'document_parsing_exception', fault);
    return { _index: `.fs-${index}-2026.01.01-000002`, _id: randomUUID(), ...CREATED, failure_store: 'used' };
  }
  const { '@timestamp': _time, ...event } = isObject(document) ? document : {};
  store.add(id, event, { _index: backing, _id: id, _source: document });
  return { _index: backing, _id: id, ...CREATED };
}

const CREATED = {
  _version: 1,
  result: 'created',
  _shards: { total: 2, successful: 1, failed: 0 },
  _seq_no: 0,
  _primary_term: 1,
  status: 201,
} as const;

const INFO = {
  name: 'stand-in',
  cluster_name: 'stand-in',
  cluster_uuid: 'c3RhbmQtaW4tb2YtZWxhc3Q',
  version: { number: '9.2.0', build_flavor: 'default', lucene_version: '10.3.1' },
  tagline: 'You Know, for Search',
};

const AUTHENTICATED = {
  username: 'trailproof',
  roles: [],
  enabled: true,
  authentication_realm: { name: '_es_api_key', type: '_es_api_key' },
  authentication_type: 'api_key',
  api_key: { id: KEY_ID, name: 'stand-in' },
};

/** How Elasticsearch words each fault, where it has words for it; a proxy answers 413 without any. */
const faultAnswers: Readonly<Record<VendorFault, StandInAnswer>> = {
  busy: failure(503, 'unavailable_shards_exception', 'primary shard is not active Timeout: [1m]'),
  throttle: {
    ...failure(429, 'es_rejected_execution_exception', 'rejected execution of coordinating operation'),
    headers: { 'retry-after': '1' },
  },
  error: failure(500, 'null_pointer_exception', 'null'),
  unauthorized: {
    ...failure(401, 'security_exception', 'unable to authenticate with provided credentials'),
    headers: { 'www-authenticate': 'ApiKey' },
  },
  forbidden: failure(
    403,
    'security_exception',
    `action [indices:data/write/bulk[s]] is unauthorized for API key id [${KEY_ID}] of user [trailproof] on indices [${INDEX}], this action is granted by the index privileges [create_doc,create,index,write,all]`,
  ),
  too_large: { status: 413 },
  refuse: failure(400, 'x_content_parse_exception', '[1:1] unexpected end of input'),
};

function failure(status: number, type: string, reason: string): StandInAnswer {
  return { status, body: { error: { root_cause: [{ type, reason }], type, reason }, status } };
}

function privileges(names: readonly string[], areGranted: boolean): StandInAnswer {
  const granted = { create_doc: areGranted, auto_configure: areGranted };
  const index = Object.fromEntries(names.map((name) => [name, granted]));
  return {
    status: 200,
    body: { username: 'trailproof', has_all_requested: areGranted, cluster: {}, index, application: {} },
  };
}

/** Clients refuse to talk to what does not name itself so, and expect the media type they asked for. */
function asElasticsearch(request: StandInRequestHead, answer: StandInAnswer): StandInAnswer {
  const accepted = /application\/vnd\.elasticsearch\+json; ?compatible-with=\d+/.exec(request.headers['accept'] ?? '');
  return {
    ...answer,
    headers: {
      'x-elastic-product': 'Elasticsearch',
      'content-type': accepted?.[0] ?? 'application/json',
      ...answer.headers,
    },
  };
}

function namesOf(group: unknown): string[] {
  const names = isObject(group) && Array.isArray(group['names']) ? group['names'] : [];
  return names.filter((name) => typeof name === 'string');
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && !Number.isNaN(Date.parse(value)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
