import { LATE_BYTES, markLate } from '../../event/late.ts';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { parseStored } from '../../formats/stored-event.ts';
import { BodyWriter, type EventJson } from '../body-writer.ts';

/** What every log of a destination says alike. */
export interface DatadogFraming {
  readonly source: string;
  readonly service: string;
  /** `key:value` pairs, joined by commas. */
  readonly tags?: string | undefined;
}

/**
 * Datadog takes logs from 18 hours ago to 2 hours ahead and drops or restamps others. An hour is left for clocks that
 * differ and for a body that is sent again. https://docs.datadoghq.com/logs/log_collection/
 */
const OLDEST_MS = 17 * 3_600_000;
const NEWEST_MS = 3_600_000;

/** Datadog cuts a log of more than 1 MB; a margin is left for how it counts. */
export const LARGEST_LOG = 950_000;

/** Longest copy of a text outside `audit`, in characters: what lists and facets show. */
const MESSAGE_LENGTH = 500;
const ATTRIBUTE_LENGTH = 256;

/** What framing adds at most, when characters take three bytes: message and five attributes, and what is always there. */
export function overheadBytes(framing: DatadogFraming): number {
  return 3 * (MESSAGE_LENGTH + 5 * ATTRIBUTE_LENGTH) + 400 + LATE_BYTES + Buffer.byteLength(JSON.stringify(framing));
}

/** What framing usually adds. */
const USUAL_BYTES = 512;

/**
 * A request body: one log per event, the event's own JSON under `audit`, beside the attributes that Datadog knows.
 * `status` is the log level there, so the event's own (`failure` would read as emergency) is `evt.outcome`. A log whose
 * time Datadog would not take gets `now` instead; `evt.time` always is the event's own, and a late one is marked.
 * https://docs.datadoghq.com/api/latest/logs/#send-logs
 */
export function encodeLogs(batch: readonly LoggedEvent[], framing: DatadogFraming, now: number): Buffer {
  const { source, service, tags } = framing;
  const alike = JSON.stringify({ ddsource: source, service, ddtags: tags }).slice(1, -1);
  const room = LARGEST_LOG - overheadBytes(framing);
  const body = new BodyWriter(batch, USUAL_BYTES);
  body.text('[');
  let separator = '';
  for (const event of batch) {
    const { json, timestamp } = event;
    const attributes = attributesOf(json, timestamp, alike, now);
    body.text(`${separator}${attributes},"audit":`);
    const audit = timestamp < now - OLDEST_MS ? markLate(json) : event;
    body.json(event.bytes <= room ? audit : cutToSize(event, audit, attributes));
    body.text('}');
    separator = ',\n';
  }
  body.text(']');
  return body.finish();
}

/** The event's JSON, cut and marked when Datadog would cut the log in silence. */
function cutToSize({ bytes }: LoggedEvent, json: EventJson, attributes: string): EventJson {
  const room = LARGEST_LOG - Buffer.byteLength(attributes) - ',"audit":}'.length;
  if (bytes + LATE_BYTES <= room) return json;
  return truncateEvent(typeof json === 'string' ? json : json.json, room) ?? json;
}

/** The event's log up to where `audit` begins. */
function attributesOf(json: string, at: number, alike: string, now: number): string {
  const plain = readPlain(json);
  const shown = plain ?? readAny(json);
  const quoted = plain ? quotePlain : quote;
  const copy = (text: string): string => quoted(text, ATTRIBUTE_LENGTH);
  const field = (name: string, text: string | undefined): string =>
    text === undefined ? '' : `,"${name}":${copy(text)}`;
  const { id, status, timestamp, actor, ipAddress } = shown;
  const isTakenAt = at >= now - OLDEST_MS && at <= now + NEWEST_MS;
  const time = isTakenAt ? timestamp : new Date(now).toISOString();
  const level = status === 'success' ? 'info' : 'warn';
  const type = `"name":${copy(shown.eventType)},"category":${copy(shown.eventCategory)}`;
  const user = `${field('id', shown.actorId)}${field('email', shown.actorEmail)}${field('name', shown.actorName)}`;
  return (
    `{"message":${quoted(messageOf(shown), MESSAGE_LENGTH)},${alike},"timestamp":"${time}","status":"${level}"` +
    `,"evt":{"id":${copy(id)},${type},"outcome":"${status}","time":"${timestamp}"}` +
    (actor === undefined ? '' : `,"usr":{${user.slice(1)}}`) +
    (ipAddress === undefined ? '' : `,"network":{"client":{"ip":${copy(ipAddress)}}}`)
  );
}

/** What a log repeats of its event. */
interface Shown {
  readonly timestamp: string;
  readonly id: string;
  readonly eventType: string;
  readonly eventCategory: string;
  readonly status: string;
  readonly description: string | undefined;
  readonly failureReason: string | undefined;
  /** Whatever it is, unless there is none. */
  readonly actor: unknown;
  readonly actorId: string | undefined;
  readonly actorName: string | undefined;
  readonly actorEmail: string | undefined;
  readonly ipAddress: string | undefined;
}

function readAny(json: string): Shown {
  const { context, ...event } = parseStored(json);
  const { timestamp, id, eventType, eventCategory, status, description, failureReason, actor } = event;
  return {
    ...{ timestamp, id, eventType, eventCategory, status, description, failureReason, actor },
    actorId: actor?.id,
    actorName: actor?.name,
    actorEmail: actor?.email,
    ipAddress: context.ipAddress,
  };
}

/** How most events begin: fields in their usual order, and texts that JSON writes as they are, without control characters. */
const PLAIN_EVENT = new RegExp(
  [
    String.raw`^\{"timestamp":"(?<timestamp>…)","sequence":\d+,"receivedAt":"…","id":"(?<id>…)","version":"…"`,
    ',"eventType":"(?<eventType>…)","eventCategory":"(?<eventCategory>…)","status":"(?<status>…)"',
    '(?:,"description":"(?<description>…)")?(?:,"failureReason":"(?<failureReason>…)")?',
    String.raw`(?<actor>,"actor":\{(?:"id":"(?<actorId>…)",?)?(?:"type":"…",?)?`,
    String.raw`(?:"name":"(?<actorName>…)",?)?(?:"email":"(?<actorEmail>…)")?\})?`,
    String.raw`(?:,"target":\{(?:"\w+":"…",?)*\})?`,
    String.raw`,"context":\{"teamId":"…"(?:,"ipAddress":"(?<ipAddress>…)"|(?:,"(?:userAgent|sessionId|requestId)":"…")*\})`,
  ]
    .join('')
    .replaceAll('…', String.raw`[^"\\\x7f-\x9f]*`),
);

/**
 * Reads how an event begins, at a fifth of what parsing costs; undefined when it has to be parsed. Stored JSON has
 * nothing between its tokens, so what matches is read right; what was not found must not come later.
 */
function readPlain(json: string): Shown | undefined {
  const found = PLAIN_EVENT.exec(json);
  if (!found) return undefined;
  const shown = found.groups as unknown as Shown;
  const end = found[0].length;
  const isLater = (field: string): boolean => json.includes(`"${field}":`, end);
  if (shown.description === undefined && isLater('description')) return undefined;
  if (shown.failureReason === undefined && isLater('failureReason')) return undefined;
  if (shown.actor === undefined && isLater('actor')) return undefined;
  return shown;
}

/** The line that the list of logs shows. */
function messageOf({ description, failureReason, eventType, status, actorEmail, actorName, actorId }: Shown): string {
  const who = actorEmail ?? actorName ?? actorId;
  const what = status === 'failure' && !eventType.endsWith('.failure') ? `${eventType} failed` : eventType;
  return description || `${what}${who ? ` by ${who}` : ''}${failureReason ? `: ${failureReason}` : ''}`;
}

/** Of a text as `readPlain` finds it. */
function quotePlain(text: string, length: number): string {
  return `"${shorten(text, length)}"`;
}

/** Control characters, which JSON writes as six bytes, become spaces. */
function quote(text: string, length: number): string {
  return JSON.stringify(shorten(text, length).replace(/\p{Cc}/gu, ' '));
}

/** Shortened without cutting a character in two. */
function shorten(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
