import { setImmediate } from 'node:timers/promises';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { leefLine } from '../../formats/leef.ts';
import { BodyWriter } from '../body-writer.ts';
import type { Encoded } from '../unfit.ts';

export interface QRadarFraming {
  readonly payload: 'json' | 'leef';
  /** The identifier under which QRadar files the events. */
  readonly logSource: string;
  /** LEEF's vendor. */
  readonly vendor: string;
  /** What QRadar takes as one payload, bytes; the rest of a longer one becomes an event of its own. */
  readonly maxPayloadLength: number;
}

/** What framing adds at most: LEEF repeats user, resource and type (255 characters each) and the address (twice). */
export function overheadBytes({ payload, logSource }: Pick<QRadarFraming, 'payload' | 'logSource'>): number {
  return payload === 'json' ? Buffer.byteLength(jsonLine('{}', logSource)) : 3_000 + Buffer.byteLength(logSource);
}

/**
 * One event per line, no line end after the last: QRadar would make an empty event of what follows it. Every JSON line
 * begins `{"timestamp":"`, on which the log source's message pattern relies.
 * https://www.ibm.com/docs/en/dsm?topic=options-http-receiver-protocol-configuration
 */
export async function encodeLines(batch: readonly LoggedEvent[], framing: QRadarFraming): Promise<Encoded> {
  const { payload, logSource, maxPayloadLength } = framing;
  const overhead = overheadBytes({ payload: 'json', logSource });
  const fields = identifierField(logSource);
  const body = new BodyWriter(batch, overhead);
  const unfit: string[] = [];
  for (const event of batch) {
    const separator = body.isEmpty ? '' : '\n';
    if (payload === 'json' && event.bytes + overhead <= maxPayloadLength) {
      body.text(separator);
      body.jsonWith(event, fields);
      continue;
    }
    const line = lineWithin(event, framing);
    if (line === null) unfit.push(event.id);
    else body.text(`${separator}${line}`);
    // Cutting a large event takes up to 20 ms: others on this thread get their turn between two.
    if (event.bytes > maxPayloadLength) await setImmediate();
  }
  return { body: body.finish(), unfit };
}

/** The event's line, cut and marked when it is longer than a payload; null when it cannot be cut so far. */
function lineWithin(event: LoggedEvent, framing: QRadarFraming): string | null {
  const longest = framing.maxPayloadLength;
  let line = frame(event.json, framing);
  let room = event.bytes;
  for (let bytes = Buffer.byteLength(line); bytes > longest; bytes = Buffer.byteLength(line)) {
    // In proportion where LEEF is shorter than JSON, which escapes: cutting the excess alone would take many rounds.
    // Where LEEF is much longer (each DEL is six bytes), the excess may be more than there is.
    const share = (room * longest) / bytes;
    room = Math.floor(Math.min(share, Math.max(room - (bytes - longest), share * 0.8)));
    const cut = truncateEvent(event.json, room);
    if (cut === null) return null;
    line = frame(cut, framing);
  }
  return line;
}

function frame(json: string, { payload, logSource, vendor }: QRadarFraming): string {
  return payload === 'json' ? jsonLine(json, logSource) : syslogLine(json, logSource, vendor);
}

function jsonLine(json: string, logSource: string): string {
  return `${json.slice(0, -1)}${identifierField(logSource)}}`;
}

/** The identifier stands last in the event, so that its beginning stays the one the message pattern expects. */
function identifierField(logSource: string): string {
  return `,"logSource":${JSON.stringify(logSource)}`;
}

/**
 * LEEF behind the short syslog header that IBM documents, whose host name is the identifier.
 * https://www.ibm.com/docs/en/dsm?topic=overview-leef-event-components
 */
function syslogLine(json: string, logSource: string, vendor: string): string {
  const time = json.slice(TIME_START, TIME_END);
  return `<13>1 ${time} ${hostName(logSource)} ${leefLine(json, { vendor, product: 'Trailproof', version: '1.0' })}`;
}

/** Place of the time in an event's JSON, which begins `{"timestamp":"YYYY-MM-DDTHH:MM:SS.mmmZ"`. */
const TIME_START = 14;
const TIME_END = 38;

/** RFC 5424 §6.2.4: printable ASCII without spaces, at most 255 characters. */
function hostName(logSource: string): string {
  return logSource.replace(/[^!-~]+/g, '-').slice(0, 255);
}
