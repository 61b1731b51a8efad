import { setTimeout as until } from 'node:timers/promises';
import { Pool } from 'undici';
import { producerEvent } from '../../rig/events.ts';

/** A team that sends. */
export interface Producer {
  readonly team: string;
  readonly key: string;
}

/** What became of a load. */
export interface Sent {
  /** Ids of the events whose acceptance was answered, by team. */
  readonly acknowledged: Map<string, string[]>;
  /** When each event was posted, milliseconds since the epoch. */
  readonly postedAt: Map<string, number>;
  /** How long each answer took, milliseconds. */
  readonly latencies: number[];
  /** How many bodies were answered with another status than 200, by status. */
  readonly refused: Map<number, number>;
}

export interface Load {
  /**
   * Posts `perSecond` events, `batch` a body, the teams in turns, for `forMs` or until `signal` aborts. Bodies leave on
   * time however long the answers take. Resolves when all are answered.
   */
  atRate(
    producers: readonly Producer[],
    rate: { perSecond: number; batch: number; forMs: number },
    signal?: AbortSignal,
  ): Promise<Sent>;
  /** Posts so many events, in bodies of `batch`, two at a time. */
  all(producer: Producer, events: number, batch: number): Promise<Sent>;
  /** Posts bodies of `batch` events over each of `connections`, the next one after each answer, until `signal` aborts. */
  flatOut(producer: Producer, rate: { connections: number; batch: number }, signal: AbortSignal): Promise<Sent>;
  close(): Promise<void>;
}

/** Producers of the service at `url`. No id is ever sent twice. */
export function createLoad(url: string): Load {
  const pools = [new Pool(url, { connections: 32 })];
  const next = new Map<string, number>();

  const post = async (pool: Pool, { team, key }: Producer, batch: number, sent: Sent): Promise<void> => {
    const first = next.get(team) ?? 0;
    next.set(team, first + batch);
    const events = Array.from({ length: batch }, (_, i) => producerEvent(first + i, team));
    const ids = Array.from({ length: batch }, (_, i) => idOf(team, first + i));
    const at = Date.now();
    for (const id of ids) sent.postedAt.set(id, at);
    const body = events.map((event) => JSON.stringify(event)).join('\n');
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
    const startedAt = performance.now();
    const answer = await pool.request({ method: 'POST', path: '/v1/events', headers, body });
    const text = await answer.body.text();
    sent.latencies.push(performance.now() - startedAt);
    if (answer.statusCode !== 200)
      return void sent.refused.set(answer.statusCode, (sent.refused.get(answer.statusCode) ?? 0) + 1);
    if (!text.includes(`"accepted":${batch},`)) throw new Error(`${batch} events were posted: ${text.slice(0, 200)}`);
    const known = sent.acknowledged.get(team);
    if (known) known.push(...ids);
    else sent.acknowledged.set(team, ids);
  };

  return {
    async atRate(producers, { perSecond, batch, forMs }, signal) {
      const sent = nothingSent();
      const count = Math.round((perSecond * forMs) / 1000 / batch);
      const startedAt = performance.now();
      const posts: Promise<void>[] = [];
      for (let i = 0; i < count && !signal?.aborted; i++) {
        const early = startedAt + (i * forMs) / count - performance.now();
        if (early > 0) await until(early);
        posts.push(post(pools[0]!, producers[i % producers.length]!, batch, sent));
      }
      await Promise.all(posts);
      return sent;
    },
    async all(producer, events, batch) {
      const sent = nothingSent();
      let left = events;
      const one = async (): Promise<void> => {
        for (let size = Math.min(batch, left); size > 0; size = Math.min(batch, left)) {
          left -= size;
          await post(pools[0]!, producer, size, sent);
        }
      };
      await Promise.all([one(), one()]);
      return sent;
    },
    async flatOut(producer, { connections, batch }, signal) {
      const sent = nothingSent();
      const pool = new Pool(url, { connections });
      pools.push(pool);
      const one = async (): Promise<void> => {
        while (!signal.aborted) await post(pool, producer, batch, sent);
      };
      await Promise.all(Array.from({ length: connections }, one));
      return sent;
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

/** As `producerEvent` names it. */
function idOf(team: string, n: number): string {
  return `${team}-${String(n).padStart(8, '0')}`;
}

/** The values' quantile; NaN when there is none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Of delays measured several times the least: whatever else the machine does only adds to them. */
export function quietest(values: readonly number[]): number {
  return Math.min(...values);
}

function nothingSent(): Sent {
  return { acknowledged: new Map(), postedAt: new Map(), latencies: [], refused: new Map() };
}
