import assert from 'node:assert/strict';
import type { FaultKind } from '../../../src/destinations/destination.ts';
import type { ScenarioContext, Tally } from '../scenario.ts';
import { FiveLanes, TEAM } from './five-lanes.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const JUMPS = [1_000, MINUTE_MS, 61 * MINUTE_MS, DAY_MS, 30 * DAY_MS, 3650 * DAY_MS];
const FAULTS: readonly FaultKind[] = ['busy', 'throttle', 'error', 'reset', 'reset_after', 'unauthorized'];
/** The longest backoff or re-check, and some more to send. */
const DRAINS_WITHIN_MS = 8 * MINUTE_MS;

/**
 * The clock is set forward and back, by seconds and by years, while SIEMs fail and come back. Times of receipt never go
 * back, nothing waits longer than it would have without the jump, and retention deletes nothing on such a clock's word.
 */
export async function clockJumps({ size, random, say }: ScenarioContext): Promise<Tally> {
  const lanes = await FiveLanes.start(random);
  const { rig, standIns } = lanes;
  let jumps = 0;
  try {
    await lanes.append(1);
    for (let round = 0; round < (size === 'full' ? 40 : 4); round++) {
      await lanes.append(random.between(1, 60));
      for (const standIn of standIns.values()) if (random.next() < 0.4) standIn.setFault({ kind: random.pick(FAULTS) });
      for (let step = 0; step < 4; step++) {
        await rig.clock.advance(random.between(0, 20_000));
        await rig.settle();
        const [now, by] = [rig.clock.now(), random.pick(JUMPS)];
        // No system lets its clock be set to a time before 1970.
        const isBack = random.next() < 0.5 && now - by > 0;
        rig.clock.set(isBack ? now - by : now + by);
        jumps++;
        await lanes.append(random.between(0, 20));
        assert.equal((await lanes.retain()).deleted, 0, 'retention deleted what is a few minutes old');
      }
      for (const standIn of standIns.values()) standIn.setFault(null);
      await lanes.drain(DRAINS_WITHIN_MS);
    }
    const log = await rig.store.log.read(TEAM, 0, { events: 1_000_000, bytes: 1e9 });
    for (const [i, { sequence, receivedAt }] of log.entries()) {
      assert.equal(sequence, i + 1);
      assert.ok(
        i === 0 || receivedAt >= log[i - 1]!.receivedAt,
        `event ${sequence} was received before the one before`,
      );
    }
    say(`${jumps} jumps of the clock, each outage over within ${DRAINS_WITHIN_MS / MINUTE_MS} min of time that passed`);
    return await lanes.tally(jumps);
  } finally {
    await lanes.close();
  }
}
