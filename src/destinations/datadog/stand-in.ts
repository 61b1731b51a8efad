import { hash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { systemClock } from '../../clock.ts';
import type { StandIn, StandInOptions } from '../destination.ts';
import {
  type ReceivedStore,
  type StandInAnswer,
  type StandInRequest,
  startStandInServer,
  type VendorFault,
} from '../stand-in-server.ts';

const KEY = 'datadog-stand-in-key';
const INTAKE = '/api/v2/logs';
const LARGEST_PAYLOAD = 5_000_000;
const LARGEST_LOG = 1_000_000;
const MOST_LOGS = 1_000;
const OLDEST_MS = 18 * 3_600_000;
const NEWEST_MS = 2 * 3_600_000;

type Json = Readonly<Record<string, unknown>>;

/**
 * Datadog's logs intake and its key validation. 202 comes before anything is looked at: a log over 1 MB is cut, one
 * outside the time window is restamped, both in silence; the stored record says so (`truncated`, `restamped`).
 */
export function startDatadogStandIn(options: StandInOptions): Promise<StandIn> {
  return startStandInServer(options, {
    handle(request, store) {
      const call = `${request.method} ${request.path}`;
      if (call !== `POST ${INTAKE}` && call !== 'GET /api/v1/validate') return error(404, 'Not Found');
      const key = request.headers['dd-api-key'];
      if (key === undefined) return error(401, 'Unauthorized', 'API key is missing');
      if (key !== KEY) return faultAnswer('forbidden');
      return request.method === 'GET' ? { status: 200, body: { valid: true } } : takeLogs(request, store);
    },
    faultAnswer,
    strikes: (kind, { path }) => path === INTAKE || !['too_large', 'refuse', 'reject_items'].includes(kind),
    settings: (url, caCertificate) => ({
      ...{ endpointUrl: url, apiKey: KEY, service: 'audit-log' },
      ...(caCertificate !== undefined && { caCertificate }),
    }),
  });
}

function takeLogs(request: StandInRequest, store: ReceivedStore): StandInAnswer {
  const logs = readLogs(request);
  if (logs === 'too large' || logs.length > MOST_LOGS) return faultAnswer('too_large');
  if (!logs.every(isObject)) return error(400, 'Bad Request', 'Invalid JSON');
  const tags = request.query.get('ddtags');
  for (const log of logs)
    store.add(...storedAs(tags ? { ...log, ddtags: [tags, log['ddtags']].filter(Boolean).join(',') } : log));
  return { status: 202, body: {} };
}

function readLogs({ headers, body }: StandInRequest): readonly unknown[] | 'too large' {
  try {
    const plain =
      headers['content-encoding'] === 'deflate' ? inflateSync(body, { maxOutputLength: 2 * LARGEST_PAYLOAD }) : body;
    if (plain.length > LARGEST_PAYLOAD) return 'too large';
    const value: unknown = JSON.parse(plain.toString());
    return Array.isArray(value) ? value : [value];
  } catch {
    return [undefined];
  }
}

/** Id, audit event and record. A log that is not an audit event is kept whole, under a hash of its content as id. */
function storedAs(log: Json): [id: string, event: unknown, record: Json] {
  const text = JSON.stringify(log);
  const id = isObject(log['evt']) && typeof log['evt']['id'] === 'string' ? log['evt']['id'] : hash('sha256', text);
  const record = { ...log, level: levelOf(log['status']), ...timeOf(log['timestamp']) };
  if (Buffer.byteLength(text) <= LARGEST_LOG) return [id, log['audit'] ?? log, record];
  return [id, undefined, { message: text.slice(0, LARGEST_LOG), truncated: true }];
}

/** Log status remapper: the first letters decide. https://docs.datadoghq.com/logs/log_configuration/processors/ */
function levelOf(status: unknown): string {
  const levels = { f: 'emergency', emerg: 'emergency', a: 'alert', c: 'critical', e: 'error', w: 'warning' };
  const more = { n: 'notice', i: 'info', d: 'debug', t: 'debug', v: 'debug', o: 'ok', s: 'ok' };
  const text = String(status ?? 'info').toLowerCase();
  const prefixes = Object.entries({ ...levels, ...more }).filter(([prefix]) => text.startsWith(prefix));
  return prefixes.sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? 'info';
}

function timeOf(timestamp: unknown): Json {
  const now = systemClock.now();
  const at = typeof timestamp === 'number' ? timestamp : Date.parse(String(timestamp ?? new Date(now).toISOString()));
  return at >= now - OLDEST_MS && at <= now + NEWEST_MS
    ? {}
    : { timestamp: new Date(now).toISOString(), restamped: timestamp };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function error(status: number, title: string, detail = title): StandInAnswer {
  return { status, body: { errors: [{ status: String(status), title, detail }] } };
}

function faultAnswer(kind: VendorFault): StandInAnswer {
  switch (kind) {
    case 'busy':
      return error(503, 'Service Unavailable');
    case 'throttle':
      return { ...error(429, 'Too Many Requests'), headers: { 'retry-after': '1', 'x-ratelimit-reset': '1' } };
    case 'error':
      return error(500, 'Internal Server Error');
    case 'unauthorized':
    case 'forbidden':
      return error(403, 'Forbidden', 'API key is missing or invalid');
    case 'too_large':
      return error(413, 'Payload Too Large');
    case 'refuse':
      return error(400, 'Bad Request', 'Invalid JSON');
    default:
      return kind satisfies never;
  }
}
