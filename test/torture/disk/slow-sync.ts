import assert from 'node:assert/strict';
import { memoryOf } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { NO_FAULTS, whyNoDisk } from './faulty-disk.ts';
import { type Load, startLoad } from './load.ts';
import { ask, judgeAll, reached, type ServiceOnDisk, startOnDisk, untilUnderLoad } from './service-on-disk.ts';

const SIZES = {
  short: { syncMs: [20, 200], events: 100, looks: 5 },
  full: { syncMs: [50, 2_000], events: 600, looks: 20 },
} as const;
const DISK_MIB = 192;
/** Bodies of the flood: more at once than may wait. */
const FLOOD = { bodies: 64, bytes: 1024 * 1024 };
/** What the service may need more than when it was idle: all that may wait, on its way through the parts. */
const MEMORY_MIB = 400;
/** On a machine that is busy with other things; a sync would take longer. */
const AT_ONCE_MS = 1_500;

/**
 * Each sync takes long: acknowledgements wait for it, more than may wait is refused instead of kept in memory, the
 * process says that it lives, deliveries go on, and nothing is lost.
 */
export const slowSync: Scenario = {
  name: 'disk/slow-sync',
  withinSeconds: 240,
  cannotRun: whyNoDisk,
  run: async ({ size, random, say }): Promise<Tally> => {
    const rig = await startOnDisk(`${random.next()}`, DISK_MIB);
    try {
      return await run(rig, SIZES[size], random, say);
    } finally {
      await rig.close();
    }
  },
};

async function run(
  rig: ServiceOnDisk,
  { syncMs, events, looks }: (typeof SIZES)[keyof typeof SIZES],
  random: Random,
  say: (line: string) => void,
): Promise<Tally> {
  const { disk, service, api, sandbox } = rig;
  const load = startLoad({
    ...{ url: () => service.url, key: api.key, random, prefix: 's' },
    ...{ producers: 6, batches: [1, 5, 30] },
  });
  const floods: Load[] = [];
  try {
    await reached(load, 200);
    const idle = (await memoryOf(service.pid)).now;
    await disk.fail({ syncMs });
    const delivered = (): number => sandbox.standIns.get('splunk')!.counts().distinct;
    const before = { delivered: delivered(), syncs: (await disk.state()).syncs };
    floods.push(startFlood(rig, random));
    const healthMs: number[] = [];
    for (let look = 0; look < looks; look++) {
      const { status, ms } = await ask(service.url, '/healthz');
      assert.equal(status, 200);
      healthMs.push(ms);
    }
    await untilUnderLoad(floods[0]!, () => assert.ok(floods[0]!.refused.size > 0, 'everything was let wait'));
    await reached(load, load.count() + events);
    await untilUnderLoad(load, () => assert.ok(delivered() > before.delivered, 'nothing is delivered meanwhile'));
    const syncs = (await disk.state()).syncs - before.syncs;
    await disk.fail(NO_FAULTS);
    await Promise.all([load, ...floods].map((each) => each.stop()));
    const slowest = Math.max(...healthMs);
    assert.ok(slowest < AT_ONCE_MS, `/healthz took ${slowest} ms`);
    const more = (await memoryOf(service.pid)).peak - idle;
    assert.ok(more < MEMORY_MIB, `${more} MiB more than before`);
    const acknowledged = [load, ...floods].flatMap((each) => each.acknowledged);
    const tally = await judgeAll(rig, { acknowledged });
    const told = floods.flatMap(({ refused }) => [...refused].map(([what, times]) => `${times} × ${what}`)).join(', ');
    say(`${syncs} slow syncs; /healthz within ${slowest.toFixed(0)} ms; ${more.toFixed(0)} MiB more; told ${told}`);
    return { ...tally, faults: syncs };
  } finally {
    await Promise.allSettled([load, ...floods].map((each) => each.stop()));
  }
}

/** Many large bodies at once, each sent until it is stored. */
function startFlood({ service, api }: ServiceOnDisk, random: Random): Load {
  return startLoad({
    ...{ url: () => service.url, key: api.key, random: random.fork('flood'), prefix: 'flood' },
    ...{ producers: FLOOD.bodies, batches: [8], filling: FLOOD.bytes / 8, bodies: 1 },
  });
}
