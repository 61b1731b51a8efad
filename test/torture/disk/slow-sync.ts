import assert from 'node:assert/strict';
import { memoryOf } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { NO_FAULTS, whyNoDisk } from './faulty-disk.ts';
import { type Load, startLoad } from './load.ts';
import { ask, judgeAll, reached, type ServiceOnDisk, startOnDisk, untilUnderLoad } from './service-on-disk.ts';

const SIZES = {
  short: { syncMs: [20, 200], events: 40 },
  full: { syncMs: [50, 2_000], events: 60 },
} as const;
const DISK_MIB = 192;
/** Bodies of the flood: more at once than may wait. */
const FLOOD = { bodies: 64, bytes: 1024 * 1024 };
/** What the service may need more than when it was idle: all that may wait, on its way through the parts. */
const MEMORY_MIB = 400;
const LOOKS = 5;

/**
 * First no sync ends: nothing is acknowledged, more than may wait is refused instead of kept in memory, and the process
 * says that it lives. Then each takes long: deliveries go on, and nothing is lost.
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
  { syncMs, events }: (typeof SIZES)[keyof typeof SIZES],
  random: Random,
  say: (line: string) => void,
): Promise<Tally> {
  const { disk, service, api, sandbox } = rig;
  const load = startLoad({
    ...{ url: () => service.url, key: api.key, random, prefix: 's' },
    ...{ producers: 6, batches: [1, 5, 30] },
  });
  const loads = [load];
  try {
    await reached(load, 200);
    const idle = (await memoryOf(service.pid)).now;
    await disk.fail({ holdSyncs: true });
    await untilUnderLoad(load, async () => assert.ok((await disk.state()).held > 0, 'nothing is synced'));
    // What was synced before is answered before these.
    for (let look = 0; look < LOOKS; look++) await looksAlive(service.url);
    const before = load.count();
    const flood = startFlood(rig, random);
    loads.push(flood);
    await untilUnderLoad(flood, () => assert.ok(flood.refused.size > 0, 'any number may wait'));
    const looks = [];
    for (let look = 0; look < LOOKS; look++) looks.push(await looksAlive(service.url));
    assert.equal(load.count() + flood.count(), before, 'acknowledged before it was synced');

    const delivered = (): number => sandbox.standIns.get('splunk')!.counts().distinct;
    const deliveredBefore = delivered();
    const { syncs } = await disk.state();
    await disk.fail({ holdSyncs: false, syncMs });
    // Both are one sender, whose bodies are stored in the order in which they came: of the flood's, too, each waits for a sync.
    await untilUnderLoad(load, () => {
      const more = load.count() + flood.count() - before;
      assert.ok(more >= events, `${more} of ${events} events are acknowledged meanwhile`);
    });
    await untilUnderLoad(load, () => assert.ok(delivered() > deliveredBefore, 'nothing is delivered meanwhile'));
    const faults = (await disk.state()).syncs - syncs;
    await disk.fail(NO_FAULTS);
    await Promise.all(loads.map((each) => each.stop()));
    const more = (await memoryOf(service.pid)).peak - idle;
    assert.ok(more < MEMORY_MIB, `${more} MiB more than before`);
    const tally = await judgeAll(rig, { acknowledged: loads.flatMap((each) => each.acknowledged) });
    const told = [...flood.refused].map(([what, times]) => `${times} × ${what}`).join(', ');
    const slowest = Math.max(...looks).toFixed(0);
    say(
      `${faults} slow syncs; /healthz within ${slowest} ms; ${more.toFixed(0)} MiB more; producers were told ${told}`,
    );
    return { ...tally, faults };
  } finally {
    await disk.fail(NO_FAULTS);
    await Promise.allSettled(loads.map((each) => each.stop()));
  }
}

/** How long the answer took, in milliseconds. */
async function looksAlive(url: string): Promise<number> {
  const { status, ms } = await ask(url, '/healthz');
  assert.equal(status, 200);
  return ms;
}

/** Many large bodies at once, each sent until it is stored. */
function startFlood({ service, api }: ServiceOnDisk, random: Random): Load {
  return startLoad({
    ...{ url: () => service.url, key: api.key, random: random.fork('flood'), prefix: 'flood' },
    ...{ producers: FLOOD.bodies, batches: [8], filling: FLOOD.bytes / 8, bodies: 1 },
  });
}
