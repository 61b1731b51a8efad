import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { systemClock } from '../clock.ts';
import type { Fault, FaultKind, ReceivedEvent, StandIn, StandInCounts, StandInOptions } from './destination.ts';

/**
 * What every stand-in shares: the server, gzip, the record of what was received, faults, and control over HTTP. What a
 * SIEM understands of a request and how it answers is its vendor's part.
 *
 * Control, on every stand-in: `GET /_stand-in` counts and fault · `GET /_stand-in/received?limit=` newest kept events ·
 * `PUT /_stand-in/fault` {kind, requests?, ms?, every?} · `DELETE /_stand-in/fault` · `DELETE /_stand-in/received`.
 */

/** A request's head: what is known before its body is read. */
export interface StandInRequestHead {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case; a repeated header's values joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
}

export interface StandInRequest extends StandInRequestHead {
  /** Decoded when the coding is gzip, otherwise as sent. */
  readonly body: Buffer;
  /** Bytes of the body on the wire. */
  readonly wireBytes: number;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  /** A string is sent as it is, anything else as compact JSON; absent: no body. */
  readonly body?: unknown;
}

/** Faults that the vendor answers in its own words; the others happen on the connection. */
export type VendorFault = 'busy' | 'throttle' | 'error' | 'unauthorized' | 'forbidden' | 'too_large' | 'refuse';

/** Where a vendor records what its SIEM would keep. */
export interface ReceivedStore {
  has(id: string): boolean;
  /** Keeps one event; a repeated id counts as a duplicate that was stored. */
  add(id: string, event: unknown, record: unknown): void;
  /** Counts a repeat that the SIEM recognised and did not store. */
  ignoreDuplicate(): void;
  /** Counts an event that the SIEM refused by itself. */
  reject(): void;
  /** Whether `reject_items` wants this event refused now: every `every`-th distinct new one, again if sent again. */
  wantsRejected(id: string): boolean;
}

export interface StandInVendor {
  /** Answers one request and records what the SIEM would have kept. */
  handle(request: StandInRequest, store: ReceivedStore): StandInAnswer | Promise<StandInAnswer>;
  faultAnswer(kind: VendorFault, request: StandInRequestHead): StandInAnswer;
  /** Whether a fault strikes this request; absent: all. A token route, for example, knows no `too_large`. */
  strikes?(kind: FaultKind, request: StandInRequestHead): boolean;
  /** Settings with which a destination reaches the stand-in, secrets in clear; `caCertificate` when it speaks TLS. */
  settings(url: string, caCertificate?: string): Readonly<Record<string, unknown>>;
}

/** Largest body taken, on the wire and unpacked. */
const LARGEST_BODY = 64 * 1024 * 1024;
/** Pause between two bytes of a dripped answer. */
const DRIP_MS = 100;

export const FAULT_KINDS = [
  'busy',
  'throttle',
  'error',
  'unauthorized',
  'forbidden',
  'too_large',
  'refuse',
  'reject_items',
  'reset',
  'reset_after',
  'hang',
  'drip',
  'html',
  'redirect',
] as const satisfies readonly FaultKind[];

const faultSchema = Type.Object(
  {
    kind: Type.Enum(FAULT_KINDS),
    requests: Type.Optional(Type.Integer({ minimum: 1 })),
    ms: Type.Optional(Type.Integer({ minimum: 1 })),
    every: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);

const unpack = promisify(gunzip);

export async function startStandInServer(options: StandInOptions, vendor: StandInVendor): Promise<StandIn> {
  const received = receivedEvents(options.keep ?? 1_000);
  const faults = faultQueue();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    // A client that goes away in the middle is what faults are about: nothing is left to answer then.
    respond(request, response, vendor, received, faults).catch((error: unknown) => {
      if (!response.headersSent && !request.socket.destroyed)
        write(response, { status: 500, body: `stand-in: ${String(error)}` });
    });
  };
  const server = options.tls
    ? createTlsServer({ cert: options.tls.certificate, key: options.tls.key }, listener)
    : createServer(listener);
  server.listen(options.port, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a stand-in listens on a TCP port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `${options.tls ? 'https' : 'http'}://${host}:${address.port}`;
  return {
    url,
    settings: vendor.settings(url, options.tls?.certificate),
    counts: received.counts,
    received: () => received.kept(),
    ids: () => received.ids,
    setFault: faults.set,
    fault: () => described(faults.current()),
    reset: received.clear,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Takes one request through control, fault, body and vendor. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  vendor: StandInVendor,
  received: Received,
  faults: Faults,
): Promise<void> {
  const head = headOf(request);
  if (head.path.startsWith('/_stand-in')) return write(response, await control(request, head, received, faults));
  received.request();
  const fault = faults.strike((kind) => vendor.strikes?.(kind, head) ?? true);
  const kind = fault?.kind;
  switch (kind) {
    case 'reset':
      request.once('data', () => destroy(request.socket)).once('end', () => destroy(request.socket));
      return;
    case 'hang':
      await readBody(request);
      return;
    case 'html':
      await readBody(request);
      return write(response, page(200, 'Sign in to continue'));
    case 'redirect':
      await readBody(request);
      return write(response, { ...page(302, 'Moved'), headers: { location: '/account/login' } });
    case 'busy':
    case 'throttle':
    case 'error':
    case 'unauthorized':
    case 'forbidden':
    case 'too_large':
    case 'refuse':
      await readBody(request);
      return write(response, vendor.faultAnswer(kind, head));
    case 'reset_after':
    case 'drip':
    case 'reject_items':
    case undefined: {
      const body = await readBody(request);
      if (!body) return write(response, { status: 400, body: 'unreadable or too large body' });
      const wantsRejected = (id: string): boolean => isUnwanted(fault, id, received.has(id));
      const answer = await vendor.handle({ ...head, ...body }, { ...received, wantsRejected });
      if (kind === 'reset_after') return destroy(request.socket);
      return kind === 'drip' ? drip(request.socket, answer) : write(response, answer);
    }
    default:
      kind satisfies never;
  }
}

async function control(
  request: IncomingMessage,
  head: StandInRequestHead,
  received: Received,
  faults: Faults,
): Promise<StandInAnswer> {
  const call = `${head.method} ${head.path}`;
  switch (call) {
    case 'GET /_stand-in':
      return { status: 200, body: { counts: received.counts(), fault: described(faults.current()) } };
    case 'GET /_stand-in/received':
      return { status: 200, body: { items: received.kept(limitOf(head.query.get('limit'))), nextCursor: null } };
    case 'DELETE /_stand-in/received':
      received.clear();
      return { status: 204 };
    case 'DELETE /_stand-in/fault':
      faults.set(null);
      return { status: 204 };
    case 'PUT /_stand-in/fault': {
      const fault = parseFault(await text(request));
      if (!fault)
        return {
          status: 400,
          body: { text: `a fault is {kind, requests?, ms?, every?} with kind one of ${FAULT_KINDS.join(', ')}` },
        };
      faults.set(fault);
      return { status: 200, body: fault };
    }
    default:
      return { status: 404, body: { text: `no control ${call}` } };
  }
}

function limitOf(text: string | null): number {
  return text !== null && /^\d+$/.test(text) ? Number(text) : 100;
}

// ---- the record ----

interface Received extends Omit<ReceivedStore, 'wantsRejected'> {
  readonly ids: ReadonlyMap<string, number>;
  counts(): StandInCounts;
  /** The newest kept events, oldest first. */
  kept(limit?: number): readonly ReceivedEvent[];
  request(): void;
  clear(): void;
}

/** Memory is bounded by `keep` whole events, and by the ids, which are what deliveries are judged by. */
function receivedEvents(keep: number): Received {
  const ids = new Map<string, number>();
  const none = { requests: 0, events: 0, ignoredDuplicates: 0, rejected: 0 };
  let counts = { ...none };
  let newest: ReceivedEvent[] = [];
  return {
    ids,
    has: (id) => ids.has(id),
    add(id, event, record) {
      const times = ids.get(id);
      ids.set(times === undefined ? detached(id) : id, (times ?? 0) + 1);
      counts.events++;
      newest.push({ id, event, record, at: systemClock.now() });
      if (newest.length >= keep * 2) newest = newest.slice(-keep);
    },
    ignoreDuplicate: () => void counts.ignoredDuplicates++,
    reject: () => void counts.rejected++,
    request: () => void counts.requests++,
    counts: () => ({ ...counts, distinct: ids.size, duplicates: counts.events - ids.size }),
    kept: (limit = keep) => newest.slice(Math.max(newest.length - Math.min(limit, keep), 0)),
    clear() {
      ids.clear();
      counts = { ...none };
      newest = [];
    },
  };
}

/** A copy of its own: a piece cut out of a body would keep the whole body in memory for as long as the id is kept. */
function detached(id: string): string {
  return Buffer.from(id, 'utf16le').toString('utf16le');
}

// ---- faults ----

interface FaultInForce extends Fault {
  /** Requests it still strikes. */
  left: number;
  /** When it ends, milliseconds since the epoch. */
  readonly until: number;
  /** `reject_items`: what was decided about each event seen. */
  readonly judged: Map<string, boolean>;
}

interface Faults {
  current(): FaultInForce | null;
  set(fault: Fault | null): void;
  /** The fault that strikes a request, if one is set and `wants` agrees; uses it up by one. */
  strike(wants: (kind: FaultKind) => boolean): FaultInForce | undefined;
}

function faultQueue(): Faults {
  let fault: FaultInForce | null = null;
  const current = (): FaultInForce | null => {
    if (fault && (fault.left <= 0 || systemClock.now() >= fault.until)) fault = null;
    return fault;
  };
  return {
    current,
    set(next) {
      const until = next?.ms === undefined ? Number.POSITIVE_INFINITY : systemClock.now() + next.ms;
      const left = next?.requests ?? Number.POSITIVE_INFINITY;
      fault = next && { ...next, left, until, judged: new Map() };
    },
    strike(wants) {
      const struck = current();
      if (!struck || !wants(struck.kind)) return undefined;
      struck.left--;
      return struck;
    },
  };
}

/** Every `every`-th (default tenth) distinct new event is unwanted, and stays so while the fault lasts. */
function isUnwanted(fault: FaultInForce | undefined, id: string, known: boolean): boolean {
  if (fault?.kind !== 'reject_items' || (known && !fault.judged.has(id))) return false;
  const verdict = fault.judged.get(id) ?? (fault.judged.size + 1) % (fault.every ?? 10) === 0;
  fault.judged.set(id, verdict);
  return verdict;
}

/** For the sandbox page: what is set, and how much of it is left. */
function described(fault: FaultInForce | null): Fault | null {
  if (!fault) return null;
  const { kind, every, left, until } = fault;
  return {
    kind,
    ...(every === undefined ? {} : { every }),
    ...(Number.isFinite(left) ? { requests: left } : {}),
    ...(Number.isFinite(until) ? { ms: until - systemClock.now() } : {}),
  };
}

function parseFault(body: string): Fault | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return Value.Check(faultSchema, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// ---- the wire ----

function headOf(request: IncomingMessage): StandInRequestHead {
  const url = request.url ?? '/';
  const { pathname, searchParams } = new URL(url, 'http://stand-in');
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  return { method: request.method ?? 'GET', url, path: pathname, query: searchParams, headers };
}

/** The whole body, unpacked if it is gzip; undefined when it is too large or not what its coding says. */
async function readBody(request: IncomingMessage): Promise<{ body: Buffer; wireBytes: number } | undefined> {
  const chunks: Buffer[] = [];
  let wireBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    wireBytes += chunk.length;
    if (wireBytes <= LARGEST_BODY) chunks.push(chunk);
  }
  if (wireBytes > LARGEST_BODY) return undefined;
  const sent = Buffer.concat(chunks);
  if (!/^gzip$/i.test(request.headers['content-encoding'] ?? '')) return { body: sent, wireBytes };
  try {
    return { body: await unpack(sent, { maxOutputLength: LARGEST_BODY }), wireBytes };
  } catch {
    return undefined;
  }
}

function write(response: ServerResponse, answer: StandInAnswer): void {
  const { text: body, headers } = payloadOf(answer);
  response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

/** Head and body byte by byte, so that an answer without body drips too. */
async function drip(socket: Socket, answer: StandInAnswer): Promise<void> {
  const { text: body, headers } = payloadOf(answer);
  const head = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' });
  const lines = head.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('');
  for (const byte of Buffer.from(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines}\r\n${body}`)) {
    if (socket.destroyed) return;
    socket.write(Uint8Array.of(byte));
    await systemClock.sleep(DRIP_MS, AbortSignal.any([]));
  }
  socket.end();
}

function payloadOf(answer: StandInAnswer): { text: string; headers: OutgoingHttpHeaders } {
  if (answer.body === undefined) return { text: '', headers: answer.headers ?? {} };
  if (typeof answer.body === 'string') return { text: answer.body, headers: answer.headers ?? {} };
  return { text: JSON.stringify(answer.body), headers: { 'content-type': 'application/json', ...answer.headers } };
}

function page(status: number, title: string): StandInAnswer {
  const body = `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

/** A reset where the transport has one: TLS sockets can only be closed. */
function destroy(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
