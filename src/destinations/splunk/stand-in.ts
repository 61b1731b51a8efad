import { randomUUID } from 'node:crypto';
import type { StartStandIn } from '../destination.ts';
import {
  type ReceivedStore,
  type StandInAnswer,
  type StandInRequest,
  type StandInRequestHead,
  startStandInServer,
  type VendorFault,
} from '../stand-in-server.ts';

/**
 * A small HTTP Event Collector with the answers that were measured on Splunk Enterprise 10.4 and Splunk Cloud 10.5,
 * traps included: the prefix of a refused body is indexed, "Incorrect index" names the event after the culprit, an
 * unknown envelope key ends the body in silence, and confirmations belong to a channel.
 */
export const startSplunkStandIn: StartStandIn = (options) => {
  const channels = new Map<string, Channel>();
  return startStandInServer(options, {
    handle: (request, store) => route(request, store, channels),
    faultAnswer,
    settings: (endpointUrl, caCertificate) => ({
      endpointUrl,
      token: STAND_IN_TOKENS.plain,
      index: 'audit',
      ...(caCertificate === undefined ? {} : { caCertificate }),
    }),
  });
};

/** Tokens that the stand-in knows. */
export const STAND_IN_TOKENS = {
  /** Writes to the indexes audit, main and security. */
  plain: '11111111-2222-3333-4444-555555555555',
  /** The same, with indexer acknowledgement. */
  acknowledging: '22222222-3333-4444-5555-666666666666',
  disabled: '33333333-4444-5555-6666-777777777777',
  /** Has no list of indexes: any name is taken, even one that does not exist. */
  unrestricted: '44444444-5555-6666-7777-888888888888',
} as const;

const INDEXES = ['audit', 'main', 'security'];
const ENVELOPE_KEYS = ['time', 'host', 'source', 'sourcetype', 'index', 'event', 'fields'];
/** Splunk Cloud 10.5 refuses somewhere above 5,242,881 bytes. */
const MOST_BYTES = 5_500_000;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TEXTS: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'Token disabled',
  2: 'Token is required',
  3: 'Invalid authorization',
  4: 'Invalid token',
  5: 'No data',
  6: 'Invalid data format',
  7: 'Incorrect index',
  8: 'Internal server error',
  9: 'Server is busy',
  10: 'Data channel is missing',
  11: 'Invalid data channel',
  12: 'Event field is required',
  13: 'Event field cannot be blank',
  14: 'ACK is disabled',
  15: 'Error in handling indexed fields',
  16: 'Query string authorization is not enabled',
  17: 'HEC is healthy',
  26: 'HEC queue is at capacity and cannot process any more requests',
};

/** Posts of one channel that were not reported as confirmed yet. The first question is answered "not yet". */
interface Channel {
  nextId: number;
  readonly waiting: Map<number, { asked: boolean }>;
}

function route(request: StandInRequest, store: ReceivedStore, channels: Map<string, Channel>): StandInAnswer {
  const path = request.path.replace(/\/1\.0$/, '').replace(/\/$/, '');
  const isHealth = path === '/services/collector/health';
  const isPost = ['/services/collector', '/services/collector/event', '/services/collector/ack'].includes(path);
  if (!isHealth && !isPost) return notFound(404);
  const allow = isHealth ? 'GET,HEAD,OPTIONS' : 'POST,OPTIONS';
  if (request.method === 'OPTIONS') return { status: 200, headers: { allow } };
  if (isHealth) return /^(GET|HEAD)$/.test(request.method) ? hec(200, 17) : notFound(405);
  if (request.method !== 'POST') return notFound(405);
  const token = tokenOf(request);
  if (typeof token !== 'string') return token;
  const acknowledges = token === STAND_IN_TOKENS.acknowledging;
  const isAck = path.endsWith('/ack');
  if (isAck && !acknowledges) return hec(400, 14);
  const name = request.headers['x-splunk-request-channel'] ?? request.query.get('channel') ?? undefined;
  if (acknowledges && name === undefined) return hec(400, 10);
  if (name !== undefined && !GUID.test(name)) return hec(400, 11);
  const channel = acknowledges && name !== undefined ? channelOf(channels, name) : undefined;
  if (isAck && channel) return confirm(request.body.toString(), channel);
  if (!/^(gzip|identity)$/i.test(request.headers['content-encoding'] ?? 'gzip'))
    return { status: 415, headers: { 'content-type': 'text/html' }, body: '<html>415</html>' };
  if (request.body.length > MOST_BYTES) return hec(400, 6, { 'invalid-event-number': 0 });
  return index(request.body.toString(), token, store, channel);
}

/** The token if it may be used, else the refusal. */
function tokenOf(request: StandInRequest): string | StandInAnswer {
  const header = request.headers['authorization'];
  const known = (token: string): boolean => Object.values<string>(STAND_IN_TOKENS).includes(token);
  if (header === undefined) {
    const token = request.query.get('token');
    if (token === null) return hec(401, 2);
    return known(token) ? hec(400, 16) : hec(403, 4);
  }
  const [, scheme = '', credential = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? [];
  const token = /^basic$/i.test(scheme)
    ? Buffer.from(credential, 'base64')
        .toString()
        .replace(/^[^:]*:/, '')
    : credential.trim();
  if (!/^(splunk|basic)$/i.test(scheme)) return hec(401, 3);
  if (!known(token)) return hec(403, 4);
  return token === STAND_IN_TOKENS.disabled ? hec(403, 1) : token;
}

/** Indexes the body's objects one after another, until one is wrong. */
function index(body: string, token: string, store: ReceivedStore, channel: Channel | undefined): StandInAnswer {
  const envelopes = splitObjects(body);
  if (envelopes.length === 0) return hec(400, 5);
  let indexed = 0;
  const answer = (status: number, code: number, number?: number): StandInAnswer =>
    hec(status, code, {
      ...(number === undefined ? {} : { 'invalid-event-number': number }),
      ...(channel && (indexed > 0 || status === 200) ? { ackId: issueAck(channel) } : {}),
    });
  for (const [number, text] of envelopes.entries()) {
    const envelope = parseObject(text);
    if (!envelope) return answer(400, 6, number);
    if (Object.keys(envelope).some((key) => !ENVELOPE_KEYS.includes(key)))
      return envelopes.length === 1 ? hec(400, 5) : answer(200, 0);
    const { event, fields } = envelope;
    if (!('event' in envelope)) {
      // The shape of a metric: taken, and not an event.
      if (fields !== undefined) continue;
      return answer(400, 12, number);
    }
    if (isBlank(event)) return answer(400, 13, number);
    if (!isTime(envelope['time'], text) || !isFlat(fields)) return answer(400, 15, number);
    if (token !== STAND_IN_TOKENS.unrestricted && !INDEXES.includes(String(envelope['index'] ?? 'main')))
      return answer(400, 7, number + 1);
    const id = idOf(event);
    if (store.wantsRejected(id)) {
      store.reject();
      return answer(400, 15, number);
    }
    store.add(id, event, envelope);
    indexed++;
  }
  return answer(200, 0);
}

/**
 * The texts of the objects in a body: written one after another with or without space, or in one array. What is left
 * open, or is no object, is the last: one more thing that cannot be read.
 */
function splitObjects(body: string): string[] {
  const text = body.trim();
  const isArray = text.startsWith('[') && text.endsWith(']');
  const inside = isArray ? text.slice(1, -1) : text;
  const objects: string[] = [];
  let depth = 0;
  let start = 0;
  let inString = false;
  for (let i = 0; i < inside.length; i++) {
    const character = inside[i]!;
    if (inString) {
      if (character === '\\') i++;
      else if (character === '"') inString = false;
    } else if (depth === 0 && character !== '{') {
      const isBetween = /\s/.test(character) || (isArray && character === ',');
      if (!isBetween) return [...objects, inside.slice(i)];
    } else if (character === '"') inString = true;
    else if (character === '{' && depth++ === 0) start = i;
    else if (character === '}' && --depth === 0) objects.push(inside.slice(start, i + 1));
  }
  return depth === 0 ? objects : [...objects, inside.slice(start)];
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isBlank(event: unknown): boolean {
  return event === null || event === '' || (typeof event === 'object' && Object.keys(event).length === 0);
}

/** Absent, a number or a numeric string, but not in scientific notation, which only the text shows. */
function isTime(time: unknown, text: string): boolean {
  if (time === undefined) return true;
  const outside = text.replace(/"event"\s*:\s*\{.*\}/s, '');
  return /^-?\d+(\.\d+)?$/.test(String(time)) && !/"time"\s*:\s*"?[-\d.]+e/i.test(outside);
}

function isFlat(fields: unknown): boolean {
  if (fields === undefined) return true;
  if (typeof fields !== 'object' || fields === null) return false;
  const isText = (value: unknown): boolean => typeof value === 'string';
  return Object.values(fields).every((value) => isText(value) || (Array.isArray(value) && value.every(isText)));
}

function idOf(event: unknown): string {
  const id = typeof event === 'object' && event !== null && 'id' in event ? event.id : undefined;
  return typeof id === 'string' ? id : randomUUID();
}

function channelOf(channels: Map<string, Channel>, name: string): Channel {
  const channel = channels.get(name) ?? { nextId: 0, waiting: new Map() };
  channels.set(name, channel);
  return channel;
}

function issueAck(channel: Channel): number {
  const id = channel.nextId++;
  channel.waiting.set(id, { asked: false });
  return id;
}

/** Answers for each id asked; one that was reported as confirmed is forgotten. */
function confirm(body: string, channel: Channel): StandInAnswer {
  const asked = parseObject(body)?.['acks'];
  if (!Array.isArray(asked)) return hec(400, 6);
  const acks = asked.map((id: unknown): [string, boolean] => {
    const post = channel.waiting.get(Number(id));
    const isConfirmed = post?.asked ?? false;
    if (post) post.asked = true;
    if (isConfirmed) channel.waiting.delete(Number(id));
    return [String(id), isConfirmed];
  });
  return { status: 200, body: { acks: Object.fromEntries(acks) } };
}

function faultAnswer(kind: VendorFault, _request: StandInRequestHead): StandInAnswer {
  switch (kind) {
    case 'busy':
      return hec(503, 9);
    case 'throttle':
      return { ...hec(429, 26), headers: { 'retry-after': '2' } };
    case 'error':
      return hec(500, 8);
    case 'unauthorized':
      return hec(403, 4);
    case 'forbidden':
      return hec(403, 1);
    case 'too_large':
      return { status: 413, body: { text: 'Content-Length is too large', code: 413 } };
    case 'refuse':
      return hec(400, 6);
    default:
      return kind satisfies never;
  }
}

function hec(status: number, code: number, more: Readonly<Record<string, number>> = {}): StandInAnswer {
  return { status, body: { text: TEXTS[code], code, ...more } };
}

function notFound(status: 404 | 405): StandInAnswer {
  return { status, body: { text: 'The requested URL was not found on this server.', code: 404 } };
}
