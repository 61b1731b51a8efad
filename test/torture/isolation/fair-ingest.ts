import assert from 'node:assert/strict';
import { Pool } from 'undici';
import { exportLog, producerEvent } from '../../rig/events.ts';
import { memoryOf, startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Scenario } from '../scenario.ts';
import { createLoad, type Producer, quantile, quietest, type Sent } from './load.ts';

const SIZES = {
  short: { pairs: 1, forMs: 1_000, perSecond: 40, boundMs: 500, connections: 8, bodies: [1_000, 4_000] },
  full: { pairs: 3, forMs: 6_000, perSecond: 50, boundMs: 150, connections: 16, bodies: [1_000, 5_000, 10_000] },
};
const SMALL_TEAMS = 10;
/** How much longer than alone the small ones may wait: what is being written when they come must end first. */
const LONGER = 5;
const MEMORY_MIB = 700;

/**
 * One team posts large bodies over many connections as fast as they are answered, while others post single events at a
 * low rate. The small ones are never refused and wait for no longer than one large body takes alone; of the flood, what was answered as accepted is in the log.
 */
export const fairIngest: Scenario = {
  name: 'isolation/fair-ingest',
  inShort: true,
  async run({ size, random, say }) {
    const { pairs, forMs, perSecond, boundMs, connections, bodies } = SIZES[size];
    const folder = await temporaryFolder();
    const service = await startService(folder.path);
    const load = createLoad(service.url);
    const apis: Awaited<ReturnType<typeof teamApi>>[] = [];
    try {
      const producers: Producer[] = [];
      for (let i = 0; i <= SMALL_TEAMS; i++) {
        const api = await teamApi(service, folder.path, `team-${i}`);
        apis.push(api);
        producers.push({ team: `team-${i}`, key: api.key });
      }
      const [large, ...small] = producers;
      const rate = { perSecond, batch: 1, forMs };
      await load.atRate(small, { ...rate, forMs: forMs / 4 });
      const largest = await timeOf(service.url, large!.key, Math.max(...bodies));
      const alone: Sent[] = [];
      const beside: Sent[] = [];
      let flooded = largest.events * 3;
      let refused = 0;
      for (let pair = 0; pair < pairs; pair++)
        for (const isFlooded of random.shuffled([false, true])) {
          if (!isFlooded) {
            alone.push(await load.atRate(small, rate));
            continue;
          }
          const end = new AbortController();
          const flood = pour(service.url, large!.key, { connections, bodies: random.shuffled(bodies) }, end.signal);
          try {
            beside.push(await load.atRate(small, rate));
          } finally {
            end.abort();
          }
          const { accepted, overloaded } = await flood;
          flooded += accepted;
          refused += overloaded;
        }
      const { peak } = await memoryOf(service.pid);
      const at = (sents: readonly Sent[], q: number): number => quietest(sents.map((s) => quantile(s.latencies, q)));
      const [usual, now] = [at(alone, 0.95), at(beside, 0.95)];
      say(
        `single events acknowledged after p50 ${at(alone, 0.5).toFixed(1)} p95 ${usual.toFixed(1)} ms alone, ` +
          `p50 ${at(beside, 0.5).toFixed(1)} p95 ${now.toFixed(1)} ms beside a flood of ` +
          `${Math.round(((flooded - 3 * largest.events) * 1000) / pairs / forMs)} events/s (${refused} of its bodies refused; one of ${largest.events} events alone takes ${largest.ms.toFixed(0)} ms); peak memory ${peak.toFixed(0)} MiB`,
      );
      for (const { refused } of beside) assert.deepEqual([...refused], [], 'a small team was refused');
      assert.ok(
        now <= Math.max(usual * LONGER, boundMs, largest.ms),
        `p95 is ${now.toFixed(0)} ms, ${usual.toFixed(0)} ms alone`,
      );
      assert.ok(peak < MEMORY_MIB, `memory reached ${peak.toFixed(0)} MiB`);

      let lost = 0;
      let events = flooded;
      for (const [i, { team }] of small.entries()) {
        const stored = new Set((await exportLog(apis[i + 1]!)).map(({ id }) => id));
        const promised = [...alone, ...beside].flatMap(({ acknowledged }) => acknowledged.get(team) ?? []);
        lost += promised.filter((id) => !stored.has(id)).length;
        events += promised.length;
      }
      const { lastSequence } = await apis[0]!.json<{ lastSequence: number }>('GET', '/v1/events?limit=1');
      lost += Math.max(0, flooded - lastSequence);
      return { events, faults: refused, lost, duplicated: 0, deadLettered: 0, countersExact: null };
    } finally {
      await load.close();
      await Promise.all(apis.map((api) => api.close()));
      await service.kill();
      await folder.remove();
    }
  },
};

/** Posts the same bodies, of events without ids, again and again: that costs the sender next to nothing. */
async function pour(
  url: string,
  key: string,
  flood: { readonly connections: number; readonly bodies: readonly number[] },
  signal: AbortSignal,
) {
  const pool = new Pool(url, { connections: flood.connections });
  const bodies = flood.bodies.map((events) => ({ events, body: Buffer.from(linesOf(events)) }));
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
  let accepted = 0;
  let overloaded = 0;
  const connection = async (first: number): Promise<void> => {
    for (let n = first; !signal.aborted; n++) {
      const { events, body } = bodies[n % bodies.length]!;
      const answer = await pool.request({ method: 'POST', path: '/v1/events', headers, body });
      const text = await answer.body.text();
      if (answer.statusCode === 503) overloaded++;
      else {
        assert.ok(text.includes(`"accepted":${events},`), text.slice(0, 200));
        accepted += events;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: flood.connections }, (_, i) => connection(i)));
  } finally {
    await pool.close();
  }
  return { accepted, overloaded };
}

/** How long a body of so many events takes when nothing else is sent, after two before it. */
async function timeOf(url: string, key: string, events: number): Promise<{ events: number; ms: number }> {
  const body = Buffer.from(linesOf(events));
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
  let ms = 0;
  for (let i = 0; i < 3; i++) {
    const startedAt = performance.now();
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200, await answer.text());
    ms = performance.now() - startedAt;
  }
  return { events, ms };
}

function linesOf(events: number): string {
  return Array.from({ length: events }, (_, i) => JSON.stringify({ ...producerEvent(i), id: undefined })).join('\n');
}
