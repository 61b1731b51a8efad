import assert from 'node:assert/strict';
import type { ScenarioContext, Tally } from '../scenario.ts';
import { FiveLanes, TEAM } from './five-lanes.ts';

const HOUR_MS = 3_600_000;
/** The SIEMs that treat old events differently, and from what age. */
const WINDOWS = { datadog: 18 * HOUR_MS, sentinel: 48 * HOUR_MS };

interface Record {
  readonly timestamp: string;
  /** What was sent, when the stand-in, which lives in the time that is, did not believe it. */
  readonly restamped?: string;
  readonly evt?: { readonly time: string };
}
interface Delivered {
  readonly timestamp: string;
  readonly trailproof?: { readonly late?: boolean };
}

/**
 * SIEMs with a time window are down until their waiting events have left it: people are told before, the events arrive
 * all the same, within the time the SIEM takes, with their own time beside and marked as late. On-time ones are not.
 */
export async function windows({ random, say }: ScenarioContext): Promise<Tally> {
  const lanes = await FiveLanes.start(random, Object.keys(WINDOWS));
  const { rig } = lanes;
  try {
    const late: string[] = [];
    for (const [kind, windowMs] of Object.entries(WINDOWS)) {
      const standIn = lanes.standIns.get(kind)!;
      const warned = async () => (await rig.delivery.health(kind)).warning;
      await lanes.append(random.between(1, 20));
      await lanes.drain(60_000, [kind]);
      standIn.setFault({ kind: 'unauthorized' });
      const before = lanes.appended.length;
      await lanes.append(random.between(1, 40));
      await rig.rest(kind, TEAM);
      await rig.clock.advance(windowMs * 0.75);
      await rig.settle();
      assert.equal(await warned(), null, `${kind} warns too early`);
      await rig.clock.advance(windowMs * 0.1);
      await rig.settle();
      assert.match((await warned()) ?? '', /leaves the time window/, `${kind} is not warned of`);
      const log = await rig.store.log.read(TEAM, 0, { events: 100_000, bytes: 1e9 });
      assert.ok(
        log.some(({ json }) => json.includes('leaves the time window') && json.includes(kind)),
        `no event says that ${kind} is about to miss its window`,
      );
      await rig.clock.advance(windowMs);
      standIn.setFault(null);
      await lanes.drain(10 * 60_000, [kind]);
      late.push(...lanes.appended.slice(before).map((id) => `${kind} ${id}`));
    }
    const now = rig.clock.now();
    let marked = 0;
    for (const kind of Object.keys(WINDOWS))
      for (const { id, event, record } of lanes.standIns.get(kind)!.received()) {
        if (!lanes.appended.includes(id)) continue;
        const { timestamp, trailproof } = event as Delivered;
        assert.ok(Date.parse(timestamp) <= now);
        const isLate = late.includes(`${kind} ${id}`);
        if (isLate) assert.equal(trailproof?.late, true, `${id} at ${kind} came late and is not marked`);
        marked += isLate ? 1 : 0;
        if (kind === 'datadog' && isLate) {
          const { timestamp: shown, restamped: sent = shown, evt } = record as Record;
          assert.equal(evt!.time, timestamp, 'the own time is not beside');
          assert.notEqual(sent, timestamp, 'Datadog would drop or restamp it');
        }
      }
    assert.ok(marked >= late.length, `${marked} of ${late.length} late events arrived`);
    say(`${late.length} events arrived after their SIEM's window, marked; warned of before`);
    const expected = (kind: string): readonly string[] =>
      lanes.appended.filter((id) => lanes.standIns.get(kind)!.ids().has(id));
    const lost = Object.keys(WINDOWS).reduce((sum, kind) => sum + lanes.appended.length - expected(kind).length, 0);
    return {
      events: lanes.appended.length,
      faults: late.length,
      lost,
      duplicated: 0,
      deadLettered: 0,
      countersExact: true,
    };
  } finally {
    await lanes.close();
  }
}
