import type { StandIn, StandInOptions } from '../destination.ts';
import { type ReceivedStore, type StandInAnswer, startStandInServer, type VendorFault } from '../stand-in-server.ts';
import { eventOfLeef, parseLeef } from './parse-leef.ts';

/** As configured in the log source's protocol tab. */
export interface LogSourceOptions {
  /** Bytes after which a payload is cut, the rest becoming an event of its own. Default 8,192, as in QRadar. */
  readonly maxPayloadLength?: number;
  /** Where each event of a body begins; absent: *Event Per Line*; `null`: the whole body is one event. */
  readonly messagePattern?: RegExp | null;
  /** Name of the HTTP authentication token header. */
  readonly headerName?: string;
}

const TOKEN = 'qradar-stand-in-token';
/** *Max POST request length* as IBM's examples set it. */
const LONGEST_POST = 5_000_000;

/**
 * QRadar's HTTP Receiver: any POST to any path is written, nothing is unpacked, the token is compared literally, and
 * what a log source cannot parse is stored as an unknown event. Here that counts as rejected.
 */
export async function startQRadarStandIn(options: StandInOptions, logSource: LogSourceOptions = {}): Promise<StandIn> {
  const { maxPayloadLength = 8_192, messagePattern, headerName = 'SEC' } = logSource;
  return startStandInServer(options, {
    handle(request, store) {
      if (request.method !== 'POST') return { status: 405, body: 'Method Not Allowed' };
      if (request.headers[headerName.toLowerCase()] !== TOKEN) return faultAnswer('unauthorized');
      if (request.body.length > LONGEST_POST) return faultAnswer('too_large');
      // Nothing is unpacked: a compressed body is one unreadable event.
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
        store.reject();
        return { status: 200, body: '' };
      }
      for (const event of split(request.body, messagePattern))
        for (const payload of cut(event, maxPayloadLength)) write(payload, store);
      return { status: 200, body: '' };
    },
    faultAnswer,
    settings: (url, caCertificate) => ({
      endpointUrl: url,
      secToken: TOKEN,
      headerName,
      logSource: 'trailproof',
      ...(caCertificate !== undefined && { caCertificate }),
    }),
  });
}

function split(body: Buffer, pattern: RegExp | null | undefined): readonly Buffer[] {
  if (pattern === null) return [body];
  const text = body.toString();
  const events = pattern ? text.split(new RegExp(`(?=${pattern.source})`, pattern.flags)) : text.split(/\r\n|[\r\n]/);
  return events.map((event) => Buffer.from(event));
}

function cut(event: Buffer, length: number): readonly Buffer[] {
  const payloads: Buffer[] = [event.subarray(0, length)];
  for (let at = length; at < event.length; at += length) payloads.push(event.subarray(at, at + length));
  return payloads;
}

/** What the DSM makes of one payload: JSON with a Universal DSM, LEEF with Universal LEEF. */
function write(payload: Buffer, store: ReceivedStore): void {
  const text = payload.toString();
  const { logSource, ...event } = read(text) ?? {};
  if (typeof event['id'] === 'string') store.add(event['id'], event, { payload: text, logSource });
  else store.reject();
}

function read(text: string): Record<string, unknown> | undefined {
  // A text within JSON may look like LEEF; a log source's type reads one of both.
  const leef = text.startsWith('{') ? undefined : parseLeef(text);
  try {
    if (leef) return { ...eventOfLeef(leef), logSource: leef.host };
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function faultAnswer(kind: VendorFault): StandInAnswer {
  switch (kind) {
    case 'busy':
      return { status: 503, body: 'Service Unavailable' };
    case 'throttle':
      return { status: 429, headers: { 'retry-after': '1' }, body: 'Too Many Requests' };
    case 'error':
      return { status: 500, body: 'Internal Server Error' };
    case 'unauthorized':
      return { status: 401, body: 'Unauthorized' };
    case 'forbidden':
      return { status: 403, body: 'Forbidden' };
    case 'too_large':
      return { status: 413, body: 'Request Entity Too Large' };
    case 'refuse':
      return { status: 400, body: 'Bad Request' };
    default:
      return kind satisfies never;
  }
}
