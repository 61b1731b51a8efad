import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import Schema from 'typebox/schema';
import type { Scope } from '../../../src/contract/scopes.ts';
import type { OpenOutbound } from '../../../src/outbound/outbound.ts';
import { type HttpApi, startHttpApi } from '../../rig/http-api.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { lostFrom, startInnocent } from './innocent.ts';
import { type Operation, openDocument } from './open-document.ts';
import { refusalOf } from './refusal.ts';
import { schemaValues } from './schema-values.ts';

/** Requests of each operation, by each kind of caller. */
const EACH = { short: 2, full: 15 };
const ANSWERED_WITHIN_MS = 30_000;
const SCOPES: Scope[] = ['events:write', 'events:read', 'destinations:read', 'destinations:write', 'team:admin'];
const METHODS = ['PUT', 'PATCH', 'DELETE', 'POST', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];

/** Every operation of the OpenAPI document with values like those it names and unlike, by callers who may and may not. */
export const apiRoutes: Scenario = {
  name: 'input/api-routes',
  inShort: true,
  withinSeconds: 300,
  run: async (context) => {
    const api = await startHttpApi(
      { RATE_LIMIT_PER_MINUTE: '10000000', TRUSTED_PROXIES: '127.0.0.1' },
      ({ openOutbound }) => ({
        openOutbound: toThisMachine(openOutbound),
      }),
    );
    const innocent = startInnocent(api.url, await api.key('innocent', 'events:write'));
    try {
      const { tally, prototypes } = await run(context, api);
      assert.deepEqual(ownKeys(), prototypes, 'a request changed what all objects share');
      const ids = await innocent.stop();
      const log = await api.store.log.read('innocent', 0, { events: 1e6, bytes: 1e9 });
      return { ...tally, events: ids.length, lost: lostFrom(log, ids) };
    } finally {
      await innocent.stop().catch(() => {});
      await api.close();
    }
  },
};

async function run(
  { size, random, say }: ScenarioContext,
  api: HttpApi,
): Promise<{ tally: Tally; prototypes: string[] }> {
  const prototypes = ownKeys();
  const { callers, words } = await settle(api);
  const operations = await openDocument(api);
  const codes = new Map<string, number>();
  let sent = 0;
  for (const operation of operations)
    for (const caller of callers)
      for (let n = 0; n < EACH[size]; n++) {
        const request = requestOf(operation, random, words);
        const answer = await ask(api, operation, request, { ...caller.headers, 'x-forwarded-for': address(random) });
        codes.set(answer, (codes.get(answer) ?? 0) + 1);
        sent += 1;
        // Others have their turn.
        if (sent % 50 === 0) await setImmediate();
      }
  const shown = [...codes].sort(([, a], [, b]) => b - a).map(([code, n]) => `${n} ${code}`);
  say(`${sent} requests to ${operations.length} operations: ${shown.join(', ')}`);
  return {
    prototypes,
    tally: { events: 0, faults: sent, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null },
  };
}

interface Caller {
  readonly headers: Readonly<Record<string, string>>;
}

/** People, keys and things of a team, and the words that name them. What the callers live by is not among the words. */
async function settle(api: HttpApi): Promise<{ callers: Caller[]; words: string[] }> {
  const key = await api.key('acme', ...SCOPES);
  const installation = await api.key(null, 'events:write', 'events:read', 'destinations:read');
  const [owner, member] = [await api.person('acme', 'owner'), await api.person('acme', 'member')];
  const stranger = await api.person('elsewhere', 'admin');
  const other = await api.person('acme', 'auditor', 'other@acme.example');
  const event = { id: 'evt-1', timestamp: '2026-01-15T10:30:00Z', eventType: 'auth.logout', actor: { id: 'u1' } };
  await api.call('POST', '/v1/events', { key, body: event });
  const settings = { endpointUrl: 'http://127.0.0.1:1', token: 'b5d6a1f0-0000-4000-8000-000000000000', index: 'main' };
  const made = await api.call('POST', '/v1/destinations', { key, body: { kind: 'splunk', name: 'S', settings } });
  assert.equal(made.status, 201, made.text);
  const bearer = (text: string): Caller => ({ headers: { authorization: `Bearer ${text}` } });
  const session = ({ cookie }: { cookie: string }): Caller => ({ headers: { cookie } });
  return {
    callers: [bearer(key), bearer(installation), session(owner), session(member), session(stranger), { headers: {} }],
    words: [
      ...[
        'evt-1',
        'auth.logout',
        'authentication',
        'u1',
        made.json.id,
        'splunk',
        'elastic',
        'now',
        'beginning',
        'admin',
      ],
      ...[
        '2026-01-15T10:30:00.000Z',
        '2026-01-16',
        'new@acme.example',
        '127.0.0.1',
        '10.0.0.0/8',
        '10',
        other.id,
        'name',
      ],
    ],
  };
}

interface Request {
  readonly path: string;
  readonly method: string;
  readonly body: string | undefined;
}

function requestOf({ path, method, parameters, body }: Operation, random: Random, words: readonly string[]): Request {
  const values = schemaValues(random, words);
  const asText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  const inPath = path.replace(/\{\w+\}/g, () => encodeURIComponent(values.text().slice(0, 500).toWellFormed() || '-'));
  const query = new URLSearchParams();
  for (const { name, in: where, required, schema } of parameters) {
    if (where !== 'query' || random.next() > (required ? 0.95 : 0.3)) continue;
    if (name === 'team' && random.next() < 0.7) query.append(name, 'acme');
    else for (const value of [values.of(schema)].flat().slice(0, 20)) query.append(name, asText(value).slice(0, 600));
  }
  if (random.next() < 0.05) query.append(values.text().slice(0, 50), values.text().slice(0, 200));
  const text = body && JSON.stringify(values.of(body));
  return {
    path: `${inPath}?${query}`,
    method: random.next() < 0.04 ? random.pick(METHODS) : method.toUpperCase(),
    body: text && random.next() < 0.03 ? text.slice(0, random.between(0, text.length)) : text,
  };
}

/** Sends the request and judges its answer; says its code, or its status where it was served. */
async function ask(
  api: HttpApi,
  operation: Operation,
  { path, method, body }: Request,
  headers: Caller['headers'],
): Promise<string> {
  const what = `${method} ${path} with ${body?.slice(0, 1000)}`;
  const cancel = new AbortController();
  const answer = await fetch(`${api.url}${path}`, {
    method: method === 'TRACE' ? 'OPTIONS' : method,
    headers: {
      accept: 'application/json',
      ...headers,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && method !== 'GET' && method !== 'HEAD' && { body }),
    signal: AbortSignal.any([cancel.signal, AbortSignal.timeout(ANSWERED_WITHIN_MS)]),
    redirect: 'manual',
  }).catch((error: unknown) => {
    throw new Error(`no answer to ${what}`, { cause: error });
  });
  const contentType = answer.headers.get('content-type') ?? '';
  if (contentType.startsWith('text/event-stream')) {
    cancel.abort();
    return 'stream';
  }
  const text = await answer.text();
  if (method === 'HEAD') {
    assert(answer.status < 500, `${what} was answered ${answer.status}`);
    return 'HEAD';
  }
  if (answer.status >= 400)
    return refusalOf({ status: answer.status, contentType, text, retryAfter: answer.headers.get('retry-after') }, what);
  const documented = operation.answers.get(String(answer.status));
  const isOwn = method === operation.method.toUpperCase();
  if (isOwn) assert(documented, `${what} was answered ${answer.status}, which the document does not name`);
  if (isOwn && documented?.schema && contentType.startsWith('application/json')) {
    const value: unknown = JSON.parse(text);
    if (!documented.check(value))
      assert.fail(
        `${what} has another answer than documented: ${JSON.stringify(Schema.Errors(documented.schema, value)).slice(0, 1000)} in ${text.slice(0, 1000)}`,
      );
  }
  return String(answer.status);
}

/** Nothing leaves this machine, wherever a generated address leads. */
function toThisMachine(openOutbound: OpenOutbound): OpenOutbound {
  return (options) => {
    const outbound = openOutbound({ ...options, connectTimeoutMs: 2_000, answerTimeoutMs: 2_000 });
    const isHere = (url: string): boolean => ['127.0.0.1', '[::1]'].includes(URL.parse(url)?.hostname ?? '');
    const failure = {
      kind: 'failure',
      stage: 'address',
      blocked: true,
      uncertain: false,
      reason: 'elsewhere',
      code: 'X',
    } as const;
    return {
      request: async (request, signal) => (isHere(request.url) ? outbound.request(request, signal) : failure),
      probe: async (url, signal) => (isHere(url) ? outbound.probe(url, signal) : failure),
      close: () => outbound.close(),
    };
  };
}

function address(random: Random): string {
  return `10.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(1, 254)}`;
}

function ownKeys(): string[] {
  return [Object.prototype, Array.prototype].flatMap((prototype) => Reflect.ownKeys(prototype).map(String));
}
