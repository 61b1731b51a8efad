import assert from 'node:assert/strict';
import type { StandIn } from '../../src/destinations/destination.ts';
import { startSandbox } from '../../src/sandbox.ts';
import { eventually, exportLog, producerEvent } from '../rig/events.ts';
import { startService, teamApi, temporaryFolder } from '../rig/service.ts';

interface Health {
  readonly state: string;
  readonly cause: string | null;
  readonly fix: string | null;
  readonly counts: {
    readonly matched: number;
    readonly filtered: number;
    readonly delivered: number;
    readonly pending: number;
    readonly deadLettered: number;
  };
}
interface DeadLetter {
  readonly id: string;
  readonly reason: string;
}

const REJECT_EVERY = 1000;

/**
 * Five SIEMs, four of them in trouble while `events` come in, in batches of 100: Splunk answers 503, Datadog 401 (a
 * wrong key), Sentinel resets connections in the middle of bodies, Elastic refuses every 1,000th event, QRadar is well.
 * In the end every event is at every SIEM, or in its dead letters with a reason; and the counters are the SIEMs' own.
 */
export async function outages(
  { events, outageMs }: { events: number; outageMs: number },
  say: (line: string) => void,
): Promise<void> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10 });
  const at = (kind: string): StandIn => sandbox.standIns.get(kind)!;
  const service = await startService(folder.path);
  try {
    const api = await teamApi(service, folder.path);
    const ids = new Map<string, string>();
    for (const [kind, standIn] of sandbox.standIns) {
      const settings = kind === 'datadog' ? { ...standIn.settings, apiKey: 'a'.repeat(32) } : standIn.settings;
      const made = await api.json<{ id: string }>('POST', '/v1/destinations', {
        kind,
        name: kind,
        settings,
        startAt: 'beginning',
      });
      ids.set(kind, made.id);
    }
    const health = (kind: string): Promise<Health> => api.json('GET', `/v1/destinations/${ids.get(kind)}/health`);

    // What the healthy one manages when nothing is wrong elsewhere, on the first tenth.
    const started = performance.now();
    const calm = Math.ceil(events / 1000) * 100;
    await post(api, 0, calm);
    const calmMs = await arrived(at('qradar'), calm, started);

    at('splunk').setFault({ kind: 'busy', ms: outageMs });
    at('sentinel').setFault({ kind: 'reset', ms: outageMs });
    at('elastic').setFault({ kind: 'reject_items', every: REJECT_EVERY });
    const troubled = performance.now();
    await post(api, calm, events - calm);
    const postedMs = performance.now() - troubled;
    const troubledMs = await arrived(at('qradar'), events, troubled);
    const rate = { calm: calm / calmMs, troubled: (events - calm) / troubledMs };
    const during = Object.fromEntries(
      await Promise.all([...ids.keys()].map(async (k) => [k, await health(k)] as const)),
    );
    assert.equal(during['datadog']!.state, 'authentication_failed');
    assert.ok(during['datadog']!.cause && during['datadog']!.fix, 'a held destination says why and what to do');
    assert.ok(['retrying', 'throttled'].includes(during['splunk']!.state) || during['splunk']!.counts.pending === 0);

    // The credential is corrected; the faults end by themselves.
    await api.json('PATCH', `/v1/destinations/${ids.get('datadog')}`, {
      settings: { apiKey: at('datadog').settings['apiKey'] },
    });
    const log = (await settled()).filter((e) => e.eventType !== 'audit.exported');

    const rows = [];
    for (const [kind, standIn] of sandbox.standIns) {
      const { counts, state } = await health(kind);
      const letters = await deadLetters(kind);
      const own = standIn.ids();
      const absent = log.filter((e) => !own.has(e.id) && !letters.has(e.id));
      assert.equal(
        absent.length,
        0,
        `${kind}: ${absent.length} events are neither there nor dead letters, first ${absent[0]?.id}`,
      );
      assert.equal(
        counts.matched,
        counts.delivered + counts.deadLettered + counts.pending,
        `${kind}: the counters do not add up`,
      );
      assert.equal(counts.deadLettered, letters.size, `${kind}: dead letters counted`);
      assert.equal(counts.delivered, standIn.counts().distinct, `${kind}: delivered counted`);
      assert.ok(
        [...letters.values()].every((reason) => reason.length > 0),
        `${kind}: a dead letter without a reason`,
      );
      const repeats = standIn.counts().duplicates + standIn.counts().ignoredDuplicates;
      if (kind !== 'sentinel') assert.equal(repeats, 0, `${kind}: repeats although every answer was certain`);
      rows.push(
        `${kind}: ${state}, delivered ${counts.delivered} = received ${standIn.counts().distinct}, dead letters ${letters.size}, repeats ${repeats}`,
      );
    }
    assert.equal(
      (await deadLetters('elastic')).size,
      at('elastic').counts().rejected,
      'Elastic counted as many refusals',
    );
    assert.ok(at('elastic').counts().rejected >= Math.floor((events - calm) / REJECT_EVERY));
    // The machine does five SIEMs' work in both phases, so the healthy one keeps its pace unless it waits for others.
    assert.ok(
      rate.troubled > rate.calm * 0.5,
      `the healthy SIEM fell from ${(rate.calm * 1000).toFixed(0)} to ${(rate.troubled * 1000).toFixed(0)} events/s`,
    );
    say(
      [
        `${events} events posted in batches of 100, ${log.length} in the log; posting the troubled part took ${(postedMs / 1000).toFixed(1)} s`,
        `healthy SIEM: ${(rate.calm * 1000).toFixed(0)} events/s with all well, ${(rate.troubled * 1000).toFixed(0)} events/s while four are in trouble`,
        ...rows,
      ].join('\n  '),
    );

    async function settled(): Promise<{ id: string; eventType: string }[]> {
      return eventually(
        async () => {
          for (const kind of ids.keys()) {
            const { counts, state } = await health(kind);
            assert.equal(counts.pending, 0, `${kind}: ${state}, ${counts.pending} waiting`);
          }
          return exportLog(api);
        },
        180_000 + outageMs,
        250,
      );
    }

    async function deadLetters(kind: string): Promise<Map<string, string>> {
      const all = new Map<string, string>();
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: { items: DeadLetter[]; nextCursor: string | null } = await api.json(
          'GET',
          `/v1/destinations/${ids.get(kind)}/dead-letters?limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
        );
        for (const letter of page.items) all.set(letter.id, letter.reason);
        cursor = page.nextCursor;
      }
      return all;
    }
  } finally {
    await service.kill();
    await sandbox.close();
    await folder.remove();
  }
}

type TeamApi = Awaited<ReturnType<typeof teamApi>>;

async function post(api: TeamApi, from: number, count: number): Promise<void> {
  let next = from;
  const producer = async (): Promise<void> => {
    while (next < from + count) {
      const first = next;
      next += 100;
      const batch = Array.from({ length: Math.min(100, from + count - first) }, (_, i) => producerEvent(first + i));
      const { accepted } = await api.json<{ accepted: number }>('POST', '/v1/events', batch);
      assert.equal(accepted, batch.length);
    }
  };
  await Promise.all([producer(), producer(), producer(), producer()]);
}

async function arrived(standIn: StandIn, events: number, since: number): Promise<number> {
  await eventually(() => assert.ok(standIn.counts().distinct >= events), 120_000, 20);
  return performance.now() - since;
}
