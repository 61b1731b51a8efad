import { LATE_BYTES, markLate } from '../../event/late.ts';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { parseStored, type StoredEvent } from '../../formats/stored-event.ts';

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

/**
 * A request body: one log per event, the event's own JSON under `audit`, beside the attributes that Datadog knows.
 * `status` is the log level there, so the event's own (`failure` would read as emergency) is `evt.outcome`. A log whose
 * time Datadog would not take gets `now` instead; `evt.time` always is the event's own, and a late one is marked.
 * https://docs.datadoghq.com/api/latest/logs/#send-logs
 */
export function encodeLogs(batch: readonly LoggedEvent[], framing: DatadogFraming, now: number): string {
  return `[${batch.map((event) => logOf(event, framing, now)).join(',\n')}]`;
}

/** The event's log, cut and marked when Datadog would cut it in silence. */
function logOf(event: LoggedEvent, framing: DatadogFraming, now: number): string {
  const attributes = JSON.stringify(attributesOf(event, framing, now)).slice(0, -1);
  const room = LARGEST_LOG - Buffer.byteLength(attributes) - ',"audit":}'.length;
  const isLate = event.timestamp < now - OLDEST_MS;
  const json = isLate ? markLate(event.json) : event.json;
  const audit = event.bytes + LATE_BYTES <= room ? json : (truncateEvent(json, room) ?? json);
  return `${attributes},"audit":${audit}}`;
}

function attributesOf(event: LoggedEvent, { source, service, tags }: DatadogFraming, now: number) {
  const stored = parseStored(event.json);
  const { actor, context, status } = stored;
  const isTakenAt = event.timestamp >= now - OLDEST_MS && event.timestamp <= now + NEWEST_MS;
  return {
    message: messageOf(stored),
    ddsource: source,
    service,
    ddtags: tags,
    timestamp: isTakenAt ? stored.timestamp : new Date(now).toISOString(),
    status: status === 'success' ? 'info' : 'warn',
    evt: {
      id: event.id,
      name: copyOf(event.eventType),
      category: copyOf(event.eventCategory),
      outcome: status,
      time: stored.timestamp,
    },
    usr: actor && { id: copyOf(actor.id), email: copyOf(actor.email), name: copyOf(actor.name) },
    network: context.ipAddress === undefined ? undefined : { client: { ip: copyOf(context.ipAddress) } },
  };
}

/** The line that the list of logs shows. */
function messageOf({ description, eventType, status, failureReason, actor }: StoredEvent): string {
  const who = actor?.email ?? actor?.name ?? actor?.id;
  const what = status === 'failure' && !eventType.endsWith('.failure') ? `${eventType} failed` : eventType;
  const sentence = `${what}${who ? ` by ${who}` : ''}${failureReason ? `: ${failureReason}` : ''}`;
  return shorten(description || sentence, MESSAGE_LENGTH);
}

function copyOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : shorten(text, ATTRIBUTE_LENGTH);
}

/** Shortened without cutting a character in two; control characters, which JSON writes as six bytes, become spaces. */
function shorten(text: string, length: number): string {
  return text
    .slice(0, length)
    .replace(/[\uD800-\uDBFF]$/, '')
    .replace(/\p{Cc}/gu, ' ');
}
