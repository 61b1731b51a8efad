import assert from 'node:assert/strict';
import type { Sequence, TeamId } from '../../../src/event/logged-event.ts';
import { eventually } from '../../rig/events.ts';
import type { Scenario } from '../scenario.ts';
import type { Victim } from './child.ts';
import { foundBySearch } from './index-search.ts';
import { type Ledger, none } from './ledger.ts';
import { DAY_MS, oldTeam } from './old-events.ts';
import {
  addDestination,
  atTwoSites,
  crashEvent,
  finish,
  producer,
  rounds,
  type Site,
  setUp,
  together,
  unexplainedRepeats,
  withVictim,
} from './site.ts';

/** Retention deletes old events while others arrive and are delivered, and the service is killed meanwhile. */
export const retention: Scenario = {
  name: 'crash/retention',
  uncertain: 'the crash came before the cursor moved',
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 4 : 12;
    return atTwoSites(random, say, (site) => strike(site, kills));
  },
};

/** Teams without a destination, with one that takes all, and with one that takes nothing. */
const LONE = 'lone';
const SENT = 'sent';
const HELD = 'held';
const OLD = 1_500;
const RETENTION_DAYS = 30;

async function strike(site: Site, kills: number): Promise<{ site: Site; said: string }> {
  const old = new Map<TeamId, ReadonlyMap<string, Sequence>>();
  for (const team of [LONE, SENT, HELD])
    old.set(team, await oldTeam(site, { team: team, count: OLD, daysAgo: RETENTION_DAYS + 10 }));
  await setUp(site, async ({ delivery }) => {
    await addDestination(site, delivery, { kind: 'splunk', team: SENT });
    await delivery.pause(await addDestination(site, delivery, { kind: 'datadog', team: HELD }), 'bench', []);
  });
  let deleted = 0;
  const look = (ledger: Ledger): void => {
    deleted = onlyWhatIsDue(ledger, old);
  };
  let lone = 0;
  const producers = together(...[LONE, SENT, HELD].map((team) => producer(site, team, 'new')));
  // A round of retention runs at each start: there must be something to delete each time.
  for (let i = 0; i < kills; i++) {
    const team = `lone-${++lone}`;
    old.set(team, await oldTeam(site, { team, count: 600, daysAgo: RETENTION_DAYS + 10 }));
    const options = { index: true };
    await rounds(site, { kills: 1, options, activity: producers, look, points: { commit: 12, statement: 2_500 } });
  }
  await withVictim(site, { index: true }, async (victim) => {
    await eventually(async () => {
      for (const team of [...old.keys()].filter((one) => one.startsWith(LONE)))
        assert.ok((await victim.log.bounds(team)).first > old.get(team)!.size, `${team}: what is old is deleted`);
    }, 30_000);
    await forgotten(site, victim);
    for (const team of [LONE, SENT, HELD]) await foundBySearch(victim, team);
    for (const { id, team } of await victim.delivery.list()) if (team === HELD) await victim.delivery.resume(id, []);
  });
  const ledger = await finish(site);
  onlyWhatIsDue(ledger, old);
  for (const id of [SENT, HELD].flatMap((team) => destinationsOf(ledger, team)))
    for (const event of old.get(ledger.destinations.get(id)!.stored.team)!.keys())
      assert.ok(site.standIns.get(id)!.ids().has(event), `${event} was deleted and never delivered`);
  none(unexplainedRepeats(site), 'repeats that no crash explains');
  return { site, said: `${deleted} old events deleted between the kills` };
}

function destinationsOf(ledger: Ledger, team: TeamId): string[] {
  return [...ledger.destinations].filter(([, { stored }]) => stored.team === team).map(([id]) => id);
}

/** Of each team the oldest are gone, none that is young, none that a destination waits for. Returns how many are gone. */
function onlyWhatIsDue(ledger: Ledger, old: ReadonlyMap<TeamId, ReadonlyMap<string, Sequence>>): number {
  let deleted = 0;
  for (const [team, places] of old) {
    const { events, last } = ledger.teams.get(team)!;
    const first = events[0]?.sequence ?? last + 1;
    assert.ok(first - 1 <= places.size, `${team}: young events are deleted`);
    for (const id of destinationsOf(ledger, team)) {
      const { cursor } = ledger.destinations.get(id)!.progress;
      assert.ok(first - 1 <= cursor, `${team}: deleted up to ${first - 1}, settled up to ${cursor}`);
    }
    const oldest = Date.now() - RETENTION_DAYS * DAY_MS;
    for (const { receivedAt, sequence } of events)
      if (receivedAt < oldest) assert.ok(sequence <= places.size, 'an old event stands among the young');
    deleted += first - 1;
  }
  return deleted;
}

/** An id of a deleted event may be given again, one of a kept event is a duplicate. */
async function forgotten(site: Site, { log }: Victim): Promise<void> {
  const [again] = await log.append([crashEvent(LONE, 'old-0', site.random)]);
  assert.equal(again?.kind, 'appended', 'the id of a deleted event is still taken');
  const [kept] = await log.append([crashEvent(HELD, 'old-0', site.random)]);
  assert.equal(kept?.kind, 'conflict', 'the id of a kept event is free');
}
