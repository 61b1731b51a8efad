import assert from 'node:assert/strict';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { cutManyTimes } from './cuts.ts';
import { NO_FAULTS, whyNoDisk } from './faulty-disk.ts';
import { startLoad } from './load.ts';
import { ask, judgeAll, reached, type ServiceOnDisk, startOnDisk, TEAM, untilUnderLoad } from './service-on-disk.ts';

const SIZES = { short: { rounds: 1, refused: 10, cuts: 10 }, full: { rounds: 4, refused: 60, cuts: 48 } };

/**
 * Syncs and writes fail at random, then every sync does, then none: producers are told to come back, never that an
 * event is stored which is not, and the service goes on by itself, with nothing lost, even if the power fails later.
 */
export const failingSync: Scenario = {
  name: 'disk/failing-sync',
  inShort: true,
  withinSeconds: 240,
  cannotRun: whyNoDisk,
  run: async ({ size, random, say }): Promise<Tally> => {
    const rig = await startOnDisk(`${random.next()}`);
    try {
      return await run(rig, SIZES[size], random, say);
    } finally {
      await rig.close();
    }
  },
};

async function run(
  rig: ServiceOnDisk,
  { rounds, refused, cuts }: (typeof SIZES)['full'],
  random: Random,
  say: (line: string) => void,
): Promise<Tally> {
  const { disk, service, api } = rig;
  const load = startLoad({
    ...{ url: () => service.url, key: api.key, random, prefix: 'f' },
    ...{ producers: 4, batches: [1, 1, 30] },
  });
  try {
    for (let round = 0; round < rounds; round++) {
      await reached(load, load.count() + 300);
      const before = (await disk.state()).refused;
      await disk.fail({ failSync: 0.2, failWrite: 0.002 });
      await untilUnderLoad(load, async () => {
        const seen = (await disk.state()).refused - before;
        assert.ok(seen >= refused, `only ${seen} calls failed`);
      });
      await disk.fail({ failSync: 1 });
      await untilUnderLoad(load, async () => {
        const { status, code } = await ask(service.url, '/readyz');
        assert.deepEqual({ status, code }, { status: 503, code: 'storage_error' });
      });
      assert.equal((await ask(service.url, '/healthz')).status, 200);
      await disk.fail(NO_FAULTS);
    }
    await reached(load, load.count() + 300);
    await load.stop();
    assert.ok(load.refused.has('503 storage_error'), 'no producer was told');
    const tally = await judgeAll(rig, load);
    const { refused: faults } = await disk.state();
    await service.kill();
    await cutManyTimes({
      ...{ disk, acknowledged: load.acknowledged, team: TEAM, count: cuts, from: rig.madeAt },
      random: random.fork('cuts'),
    });
    const told = [...load.refused].map(([what, times]) => `${times} × ${what}`).join(', ');
    say(`${faults} failed syncs and writes; producers were told ${told}; then ${cuts} power cuts looked at`);
    return { ...tally, faults: faults + cuts };
  } finally {
    await load.stop().catch(() => {});
  }
}
