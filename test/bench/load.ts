import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { EVENT_TYPES } from '../../src/event/catalogue.ts';

/** How producers name their events: by time (UUIDv7), as Trailproof recommends, or at random (UUIDv4). */
export type Ids = 'v7' | 'v4';

export interface LoadOptions {
  readonly url: string;
  readonly key: string;
  /** Events are spread over them at random. One: the key is that team's, and events need not name it. */
  readonly teams: readonly string[];
  readonly format: 'json' | 'ndjson';
  /** Events of a body. */
  readonly batch: number;
  readonly connections: number;
  readonly ids: Ids;
  /** The time of the nth event, milliseconds since the epoch; without it events are from the last minute. */
  readonly timeOf?: (n: number) => number;
}

/** Bodies that cost next to nothing: made once, only the ids (and times) in them are written anew. */
interface Bodies {
  next(): { readonly body: Buffer; readonly firstId: string };
}

/** A producer of them. */
export interface Load {
  /** Posts so many events as fast as they are acknowledged. Returns how long each body took, in milliseconds. */
  flatOut(events: number): Promise<number[]>;
  /**
   * Posts so many bodies a second for so long, whatever the answers take, as producers do who do not know of each other:
   * a body's time counts from when it was due.
   */
  paced(bodiesPerSecond: number, seconds: number, signal?: AbortSignal): Promise<number[]>;
  /** Events acknowledged so far. */
  acknowledged(): number;
  /** Called with the id of the first event of each body, before it is sent. */
  onSent: ((id: string, at: number) => void) | null;
  close(): Promise<void>;
}

/** Of distinct bodies: what repeats is far apart, beyond what any compression sees. */
const DISTINCT_EVENTS = 30_000;
const ID_LENGTH = 36;
/** Between an event's time, of which it has the first 24 characters, and its id. */
const BEFORE_ID = '","id":"';
const TIME_LENGTH = 24;
const NO_ID = '-'.repeat(ID_LENGTH);

export function createLoad(options: LoadOptions): Load {
  const { url, key, format, batch, connections } = options;
  const pool = new Pool(url, { connections, headersTimeout: 0, bodyTimeout: 0 });
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': format === 'ndjson' ? 'application/x-ndjson' : 'application/json',
  };
  const bodies = createBodies(options);
  let acknowledged = 0;

  const load: Load = {
    flatOut: async (events) => {
      const times: number[] = [];
      let left = Math.ceil(events / batch);
      const producer = async (): Promise<void> => {
        while (left-- > 0) times.push(await post(performance.now()));
      };
      await Promise.all(Array.from({ length: connections }, producer));
      return times;
    },
    paced: async (bodiesPerSecond, seconds, signal) => {
      const times: Promise<number>[] = [];
      const started = performance.now();
      const count = Math.round(bodiesPerSecond * seconds);
      while (times.length < count && !signal?.aborted) {
        const due = started + (times.length * 1000) / bodiesPerSecond;
        const early = due - performance.now();
        if (early > 0.5) await wait(early);
        else times.push(post(due));
      }
      return Promise.all(times);
    },
    acknowledged: () => acknowledged,
    onSent: null,
    close: () => pool.close(),
  };

  const post = async (since: number): Promise<number> => {
    const { body, firstId } = bodies.next();
    load.onSent?.(firstId, Date.now());
    const answer = await pool.request({ method: 'POST', path: '/v1/events', headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200 || !text.includes(`"accepted":${batch},`))
      throw new Error(`${answer.statusCode}: ${text.slice(0, 500)}`);
    acknowledged += batch;
    return performance.now() - since;
  };
  return load;
}

/** Bodies of `batch` events each, in turn. */
export function createBodies(options: Omit<LoadOptions, 'url' | 'key' | 'connections'>): Bodies {
  const { teams, format, batch, ids, timeOf } = options;
  const random = seeded(7);
  const templates = Array.from({ length: Math.ceil(DISTINCT_EVENTS / batch) }, (_, t) => {
    const events = Array.from({ length: batch }, (__, i) => {
      const team = teams[Math.floor(random() * teams.length)]!;
      return JSON.stringify(benchEvent(t * batch + i, team, random));
    });
    const text = format === 'ndjson' ? events.join('\n') : batch === 1 ? events[0]! : `[${events.join()}]`;
    const body = Buffer.from(text);
    const places: number[] = [];
    for (let at = body.indexOf(NO_ID); at !== -1; at = body.indexOf(NO_ID, at + ID_LENGTH)) places.push(at);
    return { body, places };
  });
  const nextId = ids === 'v4' ? randomUUID : timeOrdered();
  let taken = 0;
  let made = 0;
  return {
    next: () => {
      const { body: template, places } = templates[taken++ % templates.length]!;
      const body = Buffer.from(template);
      let firstId = '';
      for (const place of places) {
        const id = nextId();
        body.write(id, place, 'latin1');
        if (timeOf)
          body.write(new Date(timeOf(made++)).toISOString(), place - BEFORE_ID.length - TIME_LENGTH, 'latin1');
        firstId ||= id;
      }
      return { body, firstId };
    },
  };
}

const ACTORS = 130_000;

/** An event of about 650 bytes in the canonical form, with room for an id. */
export function benchEvent(n: number, team: string, random: () => number): object {
  const { type, category, title } = EVENT_TYPES[Math.floor(random() * EVENT_TYPES.length)]!;
  const actor = Math.floor(random() * ACTORS);
  const octet = (): number => Math.floor(random() * 256);
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return {
    timestamp: new Date(Date.now() - Math.floor(random() * 60_000)).toISOString(),
    id: NO_ID,
    version: '1.0',
    eventType: type,
    eventCategory: category,
    status: type.endsWith('failure') ? 'failure' : 'success',
    description: title,
    actor: { id: `usr_${actor}`, type: 'user', name: `Person ${actor}`, email: `person.${actor}@acme.example` },
    target: { type: 'user', id: `usr_${n % 977}`, name: `Équipe ${n % 977}` },
    context: {
      teamId: team,
      ipAddress: `203.${octet()}.113.${octet()}`,
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)',
      sessionId: `ses_${hex(16)}`,
      requestId: `req_${hex(16)}`,
    },
    metadata: { attempt: n % 5, region: ['eu-west-1', 'us-east-1', 'ap-south-1'][n % 3], tags: ['edge', 'prod'] },
  };
}

/** UUIDv7s (RFC 9562) that grow: 48 bits of time, then a counter where the random bits are. */
function timeOrdered(): () => string {
  const run = randomUUID().slice(24);
  let counter = 0;
  return () => {
    const time = Date.now().toString(16).padStart(12, '0');
    counter = (counter + 1) % 0x1000_0000;
    const digits = counter.toString(16).padStart(7, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-8${digits.slice(3, 6)}-${digits.slice(6)}${run.slice(1)}`;
  };
}

/** The same events in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function quantile(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
