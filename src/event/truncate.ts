import { parseJson } from './parse-json.ts';

/** Cut first, the largest first; then, when that is not enough, the second. What identifies an event is in neither. */
const CUT_FIRST = [
  'metadata',
  'changes',
  'trailproof.unknownFields',
  'description',
  'failureReason',
  'context.userAgent',
];
const CUT_LAST = [
  'actor.name',
  'actor.email',
  'target.name',
  'target.id',
  'target.type',
  'context.ipAddress',
  'context.sessionId',
  'context.requestId',
  'version',
];

/**
 * Cuts an event's stored JSON to at most `maxBytes` UTF-8 bytes. It stays valid JSON that begins with `{"timestamp":"`
 * and keeps what identifies it (times, id, sequence, type, category, status, who acted, the team); what was cut is
 * listed under `trailproof.truncated` with its former size; all that can be cut, as one entry with an empty path. null
 * when even what identifies it does not fit.
 */
export function truncateEvent(json: string, maxBytes: number): string | null {
  if (Buffer.byteLength(json) <= maxBytes) return json;
  const event = parseJson(json) as Record<string, unknown>;
  const marks = isObject(event['trailproof']) ? event['trailproof'] : {};
  const parts = [...cuttable(event, CUT_FIRST), ...cuttable(event, CUT_LAST)];
  const truncated: { path: string; bytes: number }[] = [];
  event['trailproof'] = marks;
  marks['truncated'] = truncated;

  for (const { path, owner, key, bytes } of parts) {
    const mark = { path, bytes };
    if (bytes <= bytesOf(mark)) continue; // saying so would take more than it saves
    truncated.push(mark);
    const rest = cut(owner[key], bytes - (bytesOf(event) - maxBytes));
    if (rest === undefined) delete owner[key];
    else owner[key] = rest;
    if (bytesOf(event) <= maxBytes) return JSON.stringify(event);
  }
  for (const { owner, key } of parts) delete owner[key];
  marks['truncated'] = [{ path: '', bytes: Buffer.byteLength(json) }];
  return bytesOf(event) <= maxBytes ? JSON.stringify(event) : null;
}

/** Something of an event that may be cut: where it is, and how many bytes its JSON has. */
interface Cuttable {
  readonly path: string;
  readonly owner: Record<string, unknown>;
  readonly key: string;
  readonly bytes: number;
}

function cuttable(event: Record<string, unknown>, paths: readonly string[]): Cuttable[] {
  return paths
    .flatMap((path) => {
      const [first = '', second] = path.split('.');
      const owner = second === undefined ? event : event[first];
      const key = second ?? first;
      return isObject(owner) && owner[key] !== undefined ? [{ path, owner, key, bytes: bytesOf(owner[key]) }] : [];
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** The most of a value whose JSON has at most `budget` bytes; undefined when nothing sensible is left. */
function cut(value: unknown, budget: number): unknown {
  if (bytesOf(value) <= budget) return value;
  if (typeof value === 'string') return cutText(value, budget);
  if (Array.isArray(value)) return cutItems(value, budget);
  return isObject(value) ? cutFields(value, budget) : undefined;
}

/** A beginning of the text and an ellipsis. Escapes make JSON longer than the text, so the place is searched for. */
function cutText(text: string, budget: number): string | undefined {
  const shortened = (length: number): string => `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')}…`;
  let fits = 0;
  let tooLong = text.length;
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (bytesOf(shortened(middle)) <= budget) fits = middle;
    else tooLong = middle;
  }
  return fits > 0 ? shortened(fits) : undefined;
}

function cutItems(items: readonly unknown[], budget: number): unknown[] | undefined {
  const kept: unknown[] = [];
  let left = budget - '[]'.length;
  for (const item of items) {
    const bytes = bytesOf(item) + ','.length;
    if (bytes > left) {
      const rest = cut(item, left - ','.length);
      if (rest !== undefined) kept.push(rest);
      break;
    }
    kept.push(item);
    left -= bytes;
  }
  return kept.length > 0 ? kept : undefined;
}

/** Keeps the smallest fields whole, cuts the first that does not fit and drops the larger ones. */
function cutFields(fields: Record<string, unknown>, budget: number): Record<string, unknown> | undefined {
  const kept = new Map<string, unknown>();
  let left = budget - '{}'.length;
  const bySize = Object.entries(fields)
    .map(([key, value]) => ({ key, value, overhead: bytesOf(key) + ':,'.length, bytes: bytesOf(value) }))
    .sort((a, b) => a.bytes + a.overhead - b.bytes - b.overhead);
  for (const { key, value, overhead, bytes } of bySize) {
    const rest = cut(value, Math.min(bytes, left - overhead));
    if (rest !== undefined) kept.set(key, rest);
    if (rest !== value) break;
    left -= overhead + bytes;
  }
  const inOrder = Object.keys(fields).filter((key) => kept.has(key));
  return inOrder.length > 0 ? Object.fromEntries(inOrder.map((key) => [key, kept.get(key)])) : undefined;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
