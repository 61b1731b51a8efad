import { isIP } from 'node:net';
import { parseStored, type StoredEvent } from './stored-event.ts';

/**
 * LEEF 2.0 (IBM, "LEEF event components"): one line per event,
 * `LEEF:2.0|Vendor|Product|Version|EventID|x09|key=value<tab>key=value…`.
 *
 * LEEF has no escaping: what would end a field, a pair or the line is replaced by a space. The delimiter is the tab,
 * because tabs must go anyway, whereas `^` would also cost every `^` of a user agent or a pattern. Nothing of the event
 * is left out: beside the keys QRadar knows, every field has one of its own, objects as JSON.
 */

/** Who writes the log: the first header fields. */
export interface LeefHeader {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
}

/** The event as one LEEF line, without line end. */
export function leefLine(json: string, header: LeefHeader): string {
  const event = parseStored(json);
  const eventClass = classOf(event);
  const head = [header.vendor, header.product, header.version, eventClass.id].map(headerField);
  const pairs = Object.entries({ ...mapped(event, eventClass), ...complete(event) })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${leefValue(value)}`);
  return `LEEF:2.0|${head.join('|')}|x09|${pairs.join('\t')}`;
}

/** C0, DEL, C1 and the Unicode line ends: whatever some reader takes for a delimiter or the end of a line. */
const UNSAFE = /[\p{Cc}\u2028\u2029]/gu;
/** IBM: EventID and usrName hold at most 255 characters. */
const LONGEST_NAME = 255;

/** Strings lose unsafe characters, objects do not: as JSON they keep them escaped. `=` stays, readers split at the first. */
function leefValue(value: unknown): string {
  return typeof value === 'object'
    ? JSON.stringify(value).replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : String(value).replace(UNSAFE, ' ');
}

/** A header field of nothing but replaced characters must not be empty. */
function headerField(text: string): string {
  return shorten(leefValue(text).replaceAll('|', ' ').trim()) || 'unknown';
}

function shorten(text: string): string {
  return text.length > LONGEST_NAME ? text.slice(0, LONGEST_NAME).replace(/[\uD800-\uDBFF]$/, '') : text;
}

/** Keys that QRadar maps to its own properties. */
function mapped({ timestamp, actor, target, context }: StoredEvent, { cat, sev }: EventClass) {
  const user = actor?.email ?? actor?.name ?? actor?.id;
  const resource = target?.name ?? target?.id;
  // Anything else than an address would make QRadar fall back to the address of the sender.
  const address = context.ipAddress && isIP(context.ipAddress) ? context.ipAddress : undefined;
  return {
    // 13 digits are read as milliseconds without a devTimeFormat.
    devTime: String(Math.max(0, Date.parse(timestamp))).padStart(13, '0'),
    cat,
    sev,
    usrName: user && shorten(user),
    src: address,
    identSrc: address,
    resource: resource && shorten(resource),
  };
}

/** Every field of the event, those of unbounded length last: should QRadar cut the line, it cuts there. */
function complete({ actor, target, context, ...event }: StoredEvent) {
  return {
    eventUid: event.id,
    sequence: event.sequence,
    timestamp: event.timestamp,
    receivedAt: event.receivedAt,
    version: event.version,
    eventType: event.eventType,
    eventCategory: event.eventCategory,
    status: event.status,
    teamId: context.teamId,
    actorId: actor?.id,
    actorEmail: actor?.email,
    actorName: actor?.name,
    actorType: actor?.type,
    targetType: target?.type,
    targetId: target?.id,
    targetName: target?.name,
    ipAddress: context.ipAddress,
    sessionId: context.sessionId,
    requestId: context.requestId,
    failureReason: event.failureReason,
    userAgent: context.userAgent,
    description: event.description,
    trailproof: event.trailproof,
    changes: event.changes,
    metadata: event.metadata,
  };
}

interface EventClass {
  /** Static per kind of event, never translated: QRadar makes one QID of each. */
  readonly id: string;
  readonly cat: string;
  /** 1 to 10. */
  readonly sev: number;
}

/** Category and severity by the beginning of the event type; the first that fits. */
const CLASSES: readonly (readonly [prefix: string, cat: string, sev: number])[] = [
  ['auth.login.success', 'Authentication', 2],
  ['auth.login.failure', 'Authentication', 5],
  ['auth.', 'Authentication', 1],
  ['user.role_changed', 'Account Management', 6],
  ['user.removed', 'Account Management', 5],
  ['user.deactivated', 'Account Management', 5],
  ['user.', 'Account Management', 4],
  ['scim.token.generated', 'Credential', 7],
  ['scim.token.', 'Credential', 5],
  ['scim.', 'Account Management', 3],
  ['sso.', 'Configuration', 7],
  ['apikey.created', 'Credential', 6],
  ['apikey.used', 'API', 1],
  ['apikey.', 'Credential', 5],
  ['breakglass.', 'Credential', 9],
  ['team.deleted', 'Configuration', 7],
  ['team.', 'Configuration', 5],
  ['role.', 'Configuration', 6],
  ['siem.', 'Configuration', 5],
  ['audit.', 'Configuration', 4],
];

function classOf({ eventType, eventCategory, status, metadata }: StoredEvent): EventClass {
  // A failure is another QID than the success of the same type.
  const distinct = (id: string): string =>
    status === 'success' || id.endsWith('.failure') ? id : `${id.slice(0, LONGEST_NAME - '.failure'.length)}.failure`;
  if (eventType.startsWith('auth.login.') && metadata?.['isBreakGlassAccess'] === true)
    return { id: distinct('auth.breakglass.login'), cat: 'Authentication', sev: 10 };
  const [, cat, sev] = CLASSES.find(([prefix]) => eventType.startsWith(prefix)) ?? ['', eventCategory, 3];
  return { id: distinct(eventType), cat, sev: status === 'failure' ? Math.max(sev, 5) : sev };
}
