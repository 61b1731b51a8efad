import assert from 'node:assert/strict';
import type { ScenarioContext, Tally } from '../scenario.ts';
import { FiveLanes, TEAM } from './five-lanes.ts';

const DAY_MS = 86_400_000;
const RETENTION_DAYS = 3;
/** Down for weeks, each in its own way; the other two are well. */
const TROUBLED = ['splunk', 'qradar', 'elastic'] as const;

/**
 * Weeks of outage with retention of days: one SIEM refuses the credential, one is busy for ever, one is paused. Retention
 * goes on every hour and deletes nothing that one of them still waits for; it says what it holds. In the end all arrives.
 */
export async function longOutage({ size, random, say }: ScenarioContext): Promise<Tally> {
  const days = size === 'full' ? 21 : 5;
  const lanes = await FiveLanes.start(random);
  const { rig, standIns } = lanes;
  try {
    await lanes.append(5);
    await lanes.keep(RETENTION_DAYS);
    await lanes.drain(60_000);
    standIns.get('splunk')!.setFault({ kind: 'unauthorized' });
    standIns.get('qradar')!.setFault({ kind: 'busy' });
    await rig.delivery.pause('elastic', 'somebody', []);
    let held = 0;
    for (let day = 1; day <= days; day++) {
      await lanes.append(random.between(1, 30));
      await rig.settle();
      // Retention's own rounds come by the hour; the lanes try again by the minute.
      for (let hour = 0; hour < 24; hour++) {
        await rig.clock.advance(DAY_MS / 24);
        await rig.settle();
      }
      const report = await lanes.retain();
      held = Math.max(held, ...report.held.map(({ events }) => events));
      const { first } = await rig.store.log.bounds(TEAM);
      const settled = await rig.delivery.settledThrough(TEAM);
      assert.ok(first <= settled + 1, `retention deleted up to ${first - 1}, settled everywhere is ${settled}`);
    }
    assert.ok(held > 0, 'retention does not say what it holds');
    for (const kind of TROUBLED) {
      const { counts, lag } = await rig.look(kind, TEAM);
      assert.ok(counts.pending > 0, `${kind} has nothing to wait for`);
      assert.ok(lag.seconds > RETENTION_DAYS * 86_400, `${kind} does not say how old the oldest is`);
    }
    for (const standIn of standIns.values()) standIn.setFault(null);
    await rig.delivery.resume('elastic', []);
    await lanes.drain(15 * 60_000);
    const tally = await lanes.tally(days);
    for (let hour = 0; hour < 24 * RETENTION_DAYS + 30; hour++) {
      await rig.clock.advance(DAY_MS / 24);
      await rig.settle();
    }
    const { first, last } = await rig.store.log.bounds(TEAM);
    assert.ok(first > lanes.appended.length, `retention does not go on after the outage: ${first} of ${last}`);
    say(
      `${days} days down with a retention of ${RETENTION_DAYS}: up to ${held} events held, all delivered, then deleted`,
    );
    return tally;
  } finally {
    await lanes.close();
  }
}
