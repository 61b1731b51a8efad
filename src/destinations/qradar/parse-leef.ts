/** A LEEF line as QRadar's Universal LEEF DSM understands it; for the stand-in. */
export interface Leef {
  /** Of the syslog header in front, if there is one. */
  readonly host?: string;
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly eventId: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Reads one line; undefined when it is not LEEF 2.0, or has a pair without key or a key twice (QRadar drops those). */
export function parseLeef(line: string): Leef | undefined {
  const start = line.indexOf('LEEF:2.0|');
  if (start < 0) return undefined;
  const [, vendor, product, version, eventId, delimiter, ...rest] = line.slice(start).split('|');
  if (!vendor || !product || !version || !eventId || delimiter === undefined) return undefined;
  const attributes = new Map<string, string>();
  for (const pair of rest.join('|').split(delimiterOf(delimiter))) {
    const [, key, value] = /^(\w+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined || attributes.has(key)) return undefined;
    attributes.set(key, value);
  }
  const host = /^<\d{1,3}>1 \S+ (\S+) $/.exec(line.slice(0, start))?.[1];
  return { ...(host !== undefined && { host }), vendor, product, version, eventId, attributes };
}

/**
 * The audit event that the attributes carry, each under the name and in the place it has in the JSON. Throws when a value
 * that should be JSON is not, as in a line that was cut.
 */
export function eventOfLeef({ attributes }: Leef): Record<string, unknown> {
  const event: Record<string, Record<string, unknown>> = {};
  const top: Record<string, unknown> = {};
  for (const [key, text] of attributes) {
    const nested = NESTED[key];
    if (nested) event[nested[0]] = { ...event[nested[0]], [nested[1]]: text };
    else if (key === 'eventUid') top['id'] = text;
    else if (JSON_KEYS.includes(key)) top[key] = JSON.parse(text);
    else if (!MAPPED_KEYS.includes(key)) top[key] = text;
  }
  return { ...top, ...event };
}

/** Keys of our own that stand for a member of an object. */
const NESTED: Readonly<Record<string, readonly [object: string, member: string]>> = {
  actorId: ['actor', 'id'],
  actorEmail: ['actor', 'email'],
  actorName: ['actor', 'name'],
  actorType: ['actor', 'type'],
  targetId: ['target', 'id'],
  targetName: ['target', 'name'],
  targetType: ['target', 'type'],
  teamId: ['context', 'teamId'],
  ipAddress: ['context', 'ipAddress'],
  userAgent: ['context', 'userAgent'],
  sessionId: ['context', 'sessionId'],
  requestId: ['context', 'requestId'],
};
const JSON_KEYS = ['sequence', 'changes', 'metadata', 'trailproof'];
/** Keys that QRadar defines; what they say is in our own keys too. */
const MAPPED_KEYS = ['devTime', 'cat', 'sev', 'usrName', 'src', 'identSrc', 'resource'];

function delimiterOf(field: string): string {
  const hex = /^0?x([0-9a-f]{1,4})$/i.exec(field)?.[1];
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  return field === '' ? '\t' : field;
}
