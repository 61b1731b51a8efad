import assert from 'node:assert/strict';
import type { Health } from '../../../src/contract/destinations.ts';
import { startSandbox } from '../../../src/sandbox.ts';
import { eventually, exportLog } from '../../rig/events.ts';
import { startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { createLoad, type Producer, quantile, type Sent } from './load.ts';
import { type RemoteStandIns, startRemoteSandbox } from './remote-sandbox.ts';

const SIZES = {
  short: { backlog: 8_000, perSecond: 50, aloneMs: 800, boundMs: 400 },
  full: { backlog: 150_000, perSecond: 100, aloneMs: 10_000, boundMs: 250 },
};
const SMALL_TEAMS = 10;
/** The backlog drains to these two, the small teams' events go to the third. */
const [LARGE_KINDS, SMALL_KIND] = [['elastic', 'datadog'], 'splunk'];
const LONGER = 5;
/** Longest drain that is measured: what is left afterwards is only waited for. */
const MEASURED_MS = 40_000;
const DRAINS_WITHIN_MS = 180_000;

/**
 * The two destinations of one team drain a huge backlog while ten teams send single events to a third: those arrive
 * almost as promptly as without the drain, which in turn brings everything.
 */
export const fairDelivery: Scenario = {
  name: 'isolation/fair-delivery',
  inShort: true,
  withinSeconds: 240,
  async run({ size, say }) {
    const { backlog, perSecond, aloneMs, boundMs } = SIZES[size];
    const folder = await temporaryFolder();
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10_000 });
    const large = await startRemoteSandbox();
    const service = await startService(folder.path);
    const load = createLoad(service.url);
    const apis: Awaited<ReturnType<typeof teamApi>>[] = [];
    const open = async (team: string) => {
      const api = await teamApi(service, folder.path, team);
      apis.push(api);
      return api;
    };
    try {
      const standIn = sandbox.standIns.get(SMALL_KIND)!;
      const make = (api: (typeof apis)[number], kind: string, settings: object) =>
        api.json<{ id: string }>('POST', '/v1/destinations', { kind, name: kind, settings, startAt: 'beginning' });
      const small: Producer[] = [];
      for (let i = 0; i < SMALL_TEAMS; i++) {
        const api = await open(`small-${i}`);
        small.push({ team: `small-${i}`, key: api.key });
        await make(api, SMALL_KIND, standIn.settings);
      }
      const owner = await open('large');
      const ids: string[] = [];
      for (const kind of LARGE_KINDS) {
        const { id } = await make(owner, kind, await large.settings(kind));
        ids.push(id);
        await owner.json('POST', `/v1/destinations/${id}/pause`);
      }
      const { acknowledged } = await load.all({ team: 'large', key: owner.key }, backlog, 2_000);
      const waiting = acknowledged.get('large') ?? [];

      const pendingOf = async (): Promise<number> => {
        const healths = await Promise.all(ids.map((id) => owner.json<Health>('GET', `/v1/destinations/${id}/health`)));
        return Math.min(...healths.map(({ counts }) => counts.pending));
      };
      const rate = { perSecond, batch: 1 };
      await load.atRate(small, { ...rate, forMs: aloneMs / 4 });
      const alone = [await load.atRate(small, { ...rate, forMs: aloneMs })];
      const startedAt = performance.now();
      const drained = new AbortController();
      for (const id of ids) await owner.json('POST', `/v1/destinations/${id}/resume`);
      const beside = load.atRate(small, { ...rate, forMs: MEASURED_MS }, drained.signal);
      // A longer drain than is measured is waited for by the judge.
      await eventually(async () => assert.equal(await pendingOf(), 0), MEASURED_MS, 100).catch(() => {});
      const drainingMs = performance.now() - startedAt;
      drained.abort();
      const draining = [await beside];

      const sents = [...alone, ...draining];
      await eventually(() => {
        for (const { acknowledged } of sents)
          for (const id of [...acknowledged.values()].flat()) assert.ok(standIn.ids().has(id), `${id} has not arrived`);
      }, 30_000);
      const arrived = new Map(standIn.received().map(({ id, at }) => [id, at]));
      const delays = (of: readonly Sent[]): number[] =>
        of.flatMap(({ postedAt }) =>
          [...postedAt].flatMap(([id, at]) => (arrived.has(id) ? [arrived.get(id)! - at] : [])),
        );
      const [usual, now] = [delays(alone), delays(draining)];
      say(
        `single events arrive after p50 ${quantile(usual, 0.5)} p95 ${quantile(usual, 0.95)} ms alone, p50 ${quantile(now, 0.5)} ` +
          `p95 ${quantile(now, 0.95)} ms beside the drain of ${backlog} events to two SIEMs, in ${(drainingMs / 1000).toFixed(1)} s`,
      );
      assert.ok(
        quantile(now, 0.95) <= Math.max(quantile(usual, 0.95) * LONGER, boundMs),
        `single events arrive after ${quantile(now, 0.95)} ms (p95), ${quantile(usual, 0.95)} ms alone`,
      );
      assert.ok(standIn.counts().duplicates === 0, 'single events were repeated');

      const tally = await judged(owner, ids, large, waiting);
      const single = sents.flatMap(({ acknowledged }) => [...acknowledged.values()].flat());
      return { ...tally, events: single.length + waiting.length, faults: 0 };
    } finally {
      await load.close();
      await Promise.all(apis.map((api) => api.close()));
      await service.kill();
      await sandbox.close();
      await large.close();
      await folder.remove();
    }
  },
};

/** As `judge`, of stand-ins on another thread: what was exported meanwhile is an event that arrives, too. */
async function judged(
  api: Awaited<ReturnType<typeof teamApi>>,
  destinations: readonly string[],
  standIns: RemoteStandIns,
  promised: readonly string[],
): Promise<Omit<Tally, 'events' | 'faults'>> {
  const log = await exportLog(api);
  const stored = new Set(log.map(({ id }) => id));
  let lost = promised.filter((id) => !stored.has(id)).length;
  let duplicated = 0;
  for (const [i, kind] of LARGE_KINDS.entries())
    await eventually(async () => {
      const { counts } = await api.json<Health>('GET', `/v1/destinations/${destinations[i]}/health`);
      assert.equal(counts.pending, 0);
      const [at, { duplicates }] = [await standIns.ids(kind), await standIns.counts(kind)];
      assert.deepEqual(counts, { ...counts, matched: at.size, delivered: at.size, deadLettered: 0 });
      lost += log.filter(({ id }) => !at.has(id)).length;
      duplicated += duplicates;
    }, DRAINS_WITHIN_MS);
  return { lost, duplicated, deadLettered: 0, countersExact: true };
}
