import assert from 'node:assert/strict';
import type { Health } from '../../../src/contract/destinations.ts';
import { startSandbox } from '../../../src/sandbox.ts';
import { eventually } from '../../rig/events.ts';
import { startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import { judge } from '../judge.ts';
import type { Scenario } from '../scenario.ts';
import { createLoad, type Producer, quantile, type Sent } from './load.ts';

const SIZES = {
  short: { backlog: 8_000, perSecond: 50, aloneMs: 800, boundMs: 400 },
  full: { backlog: 300_000, perSecond: 100, aloneMs: 10_000, boundMs: 100 },
};
const SMALL_TEAMS = 10;
/** The backlog drains to these two, the small teams' events go to the third. */
const [LARGE_KINDS, SMALL_KIND] = [['elastic', 'datadog'], 'splunk'];
const LONGER = 5;
/** Longest drain that is measured: what is left afterwards is only waited for. */
const MEASURED_MS = 40_000;

/**
 * The two destinations of one team drain a huge backlog while ten teams send single events to a third: those arrive
 * almost as promptly as without the drain, which in turn brings everything.
 */
export const fairDelivery: Scenario = {
  name: 'isolation/fair-delivery',
  inShort: true,
  async run({ size, say }) {
    const { backlog, perSecond, aloneMs, boundMs } = SIZES[size];
    const folder = await temporaryFolder();
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10_000 });
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
      const make = (api: (typeof apis)[number], kind: string) =>
        api.json<{ id: string }>('POST', '/v1/destinations', {
          kind,
          name: kind,
          settings: sandbox.standIns.get(kind)!.settings,
          startAt: 'beginning',
        });
      const small: Producer[] = [];
      for (let i = 0; i < SMALL_TEAMS; i++) {
        const api = await open(`small-${i}`);
        small.push({ team: `small-${i}`, key: api.key });
        await make(api, SMALL_KIND);
      }
      const large = await open('large');
      const ids: string[] = [];
      for (const kind of LARGE_KINDS) {
        const { id } = await make(large, kind);
        ids.push(id);
        await large.json('POST', `/v1/destinations/${id}/pause`);
      }
      const { acknowledged } = await load.all({ team: 'large', key: large.key }, backlog, 2_000);
      const waiting = acknowledged.get('large') ?? [];

      const pendingOf = async (): Promise<number> => {
        const healths = await Promise.all(ids.map((id) => large.json<Health>('GET', `/v1/destinations/${id}/health`)));
        return Math.min(...healths.map(({ counts }) => counts.pending));
      };
      const rate = { perSecond, batch: 1 };
      await load.atRate(small, { ...rate, forMs: aloneMs / 4 });
      const alone = [await load.atRate(small, { ...rate, forMs: aloneMs })];
      const beside: Sent[] = [];
      const startedAt = performance.now();
      for (const id of ids) await large.json('POST', `/v1/destinations/${id}/resume`);
      while ((await pendingOf()) > 0 && performance.now() - startedAt < MEASURED_MS)
        beside.push(await load.atRate(small, { ...rate, forMs: 200 }));
      const drainingMs = performance.now() - startedAt;
      assert.ok(beside.length > 0, 'the backlog was gone before anything was measured');

      const sents = [...alone, ...beside];
      await eventually(() => {
        for (const { acknowledged } of sents)
          for (const id of [...acknowledged.values()].flat()) assert.ok(standIn.ids().has(id), `${id} has not arrived`);
      }, 30_000);
      const arrived = new Map(standIn.received().map(({ id, at }) => [id, at]));
      const delays = (of: readonly Sent[]): number[] =>
        of.flatMap(({ postedAt }) =>
          [...postedAt].flatMap(([id, at]) => (arrived.has(id) ? [arrived.get(id)! - at] : [])),
        );
      const [usual, now] = [delays(alone), delays(beside)];
      say(
        `single events arrive after p50 ${quantile(usual, 0.5)} p95 ${quantile(usual, 0.95)} ms alone, p50 ${quantile(now, 0.5)} ` +
          `p95 ${quantile(now, 0.95)} ms beside the drain of ${backlog} events to two SIEMs, in ${(drainingMs / 1000).toFixed(1)} s`,
      );
      assert.ok(
        quantile(now, 0.95) <= Math.max(quantile(usual, 0.95) * LONGER, boundMs),
        `single events arrive after ${quantile(now, 0.95)} ms (p95), ${quantile(usual, 0.95)} ms alone`,
      );
      assert.ok(standIn.counts().duplicates === 0, 'single events were repeated');

      const tallies: Awaited<ReturnType<typeof judge>>[] = [];
      for (const [i, kind] of LARGE_KINDS.entries())
        tallies.push(
          await judge({
            ...{ api: large, destination: ids[i]!, standIn: sandbox.standIns.get(kind)!, acknowledged: waiting },
            settlesWithinMs: 240_000,
          }),
        );
      const events = sents.flatMap(({ acknowledged }) => [...acknowledged.values()].flat()).length + waiting.length;
      const sum = (figure: 'lost' | 'duplicated' | 'deadLettered'): number =>
        tallies.reduce((all, tally) => all + tally[figure], 0);
      return {
        ...{ events, faults: 0, lost: sum('lost'), duplicated: sum('duplicated'), deadLettered: sum('deadLettered') },
        countersExact: tallies.every(({ countersExact }) => countersExact),
      };
    } finally {
      await load.close();
      await Promise.all(apis.map((api) => api.close()));
      await service.kill();
      await sandbox.close();
      await folder.remove();
    }
  },
};
