import assert from 'node:assert/strict';
import type { Health } from '../../../src/contract/destinations.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { cutManyTimes } from './cuts.ts';
import { NO_FAULTS, whyNoDisk } from './faulty-disk.ts';
import { startLoad } from './load.ts';
import { ask, judgeAll, reached, type ServiceOnDisk, startOnDisk, TEAM, untilUnderLoad } from './service-on-disk.ts';

const SIZES = { short: { rounds: 1, backlog: 600, cuts: 4 }, full: { rounds: 3, backlog: 3_000, cuts: 24 } };
const DISK_MIB = 32;

/**
 * The disk fills while the SIEMs are away and producers send: they are told so, what was stored is delivered when the
 * SIEMs are back though the disk is still full, people can read, and with room everything goes on by itself. Then
 * single writes find no room.
 */
export const full: Scenario = {
  name: 'disk/full',
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
  { rounds, backlog, cuts }: (typeof SIZES)['full'],
  random: Random,
  say: (line: string) => void,
): Promise<Tally> {
  const { disk, service, api, sandbox } = rig;
  const load = startLoad({
    ...{ url: () => service.url, key: api.key, random, prefix: 'd' },
    ...{ producers: 4, batches: [1, 1, 30] },
  });
  try {
    for (let round = 0; round < rounds; round++) {
      for (const standIn of sandbox.standIns.values()) standIn.setFault({ kind: 'busy' });
      await reached(load, load.count() + backlog);
      await disk.limit(null);
      await untilUnderLoad(load, () => isFull(service.url));
      await readsWork(rig);
      for (const standIn of sandbox.standIns.values()) standIn.setFault(null);
      await untilUnderLoad(load, () => isDelivered(rig));
      await isFull(service.url);
      await disk.limit(DISK_MIB * 1024 * 1024);
      await reached(load, load.count() + 100);
      await disk.fail({ noSpace: 0.02 });
      const { refused } = await disk.state();
      await untilUnderLoad(load, async () => assert.ok((await disk.state()).refused > refused, 'every write had room'));
      await disk.fail(NO_FAULTS);
      await reached(load, load.count() + 100);
    }
    await load.stop();
    assert.ok(load.refused.has('503 storage_full'), 'no producer was told');
    assert.equal((await ask(service.url, '/readyz')).status, 200);
    const tally = await judgeAll(rig, load);
    const { refused: faults } = await disk.state();
    await service.kill();
    await cutManyTimes({
      ...{ disk, acknowledged: load.acknowledged, team: TEAM, count: cuts, from: rig.madeAt },
      random: random.fork('cuts'),
    });
    const told = [...load.refused].map(([what, times]) => `${times} × ${what}`).join(', ');
    say(`${faults} writes found no room; producers were told ${told}; then ${cuts} power cuts looked at`);
    return { ...tally, faults: faults + cuts };
  } finally {
    await load.stop().catch(() => {});
  }
}

async function isFull(url: string): Promise<void> {
  const { status, code } = await ask(url, '/readyz');
  assert.deepEqual({ status, code }, { status: 503, code: 'storage_full' });
  assert.equal((await ask(url, '/healthz')).status, 200);
}

/** What the console shows: the log, the destinations and how they are. */
async function readsWork({ api, destinations }: ServiceOnDisk): Promise<void> {
  const { events } = await api.json<{ events: readonly object[] }>('GET', '/v1/events?limit=50');
  assert.equal(events.length, 50);
  const { items } = await api.json<{ items: readonly object[] }>('GET', '/v1/destinations');
  assert.equal(items.length, destinations.size);
  for (const id of destinations.values()) {
    const { counts } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
    assert.equal(counts.matched, counts.delivered + counts.deadLettered + counts.pending);
    assert.ok(counts.pending > 0, 'nothing is pending though the SIEM is away');
  }
}

/** While the disk is full: everything that is stored has arrived, and is counted as delivered. */
async function isDelivered({ api, destinations, sandbox }: ServiceOnDisk): Promise<void> {
  for (const [kind, id] of destinations) {
    const { counts, state } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
    assert.equal(counts.pending, 0, `${counts.pending} events are pending at ${kind} (${state})`);
    assert.equal(counts.delivered, sandbox.standIns.get(kind)!.counts().distinct);
  }
}
