import type { Fault, FaultKind } from '../../../src/destinations/destination.ts';
import type { Scenario } from '../scenario.ts';
import { addDestination, finish, producer, rounds, type Site, setUp, tallyOf, together, withSite } from './site.ts';

/** Kills while every SIEM misbehaves in its own way, now this, now that. */
export const faults: Scenario = {
  name: 'crash/faults',
  uncertain: 'the answer was lost, or the crash came before the cursor moved',
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 4 : 13;
    const done = await Promise.all(
      ['a', 'b'].map((name) => withSite(random.fork(name), (site) => strike(site, kills))),
    );
    const all = done.reduce((sum, { faults }) => sum + faults, 0);
    say(`${all} faults switched on at five SIEMs`);
    return tallyOf(
      done.map(({ site }) => site),
      all,
    );
  },
};

const KINDS = ['splunk', 'elastic', 'qradar', 'sentinel', 'datadog'];
const FAULTS: readonly FaultKind[] = ['reset', 'reset_after', 'hang', 'busy', 'reject_items'];

async function strike(site: Site, kills: number): Promise<{ site: Site; faults: number }> {
  const { random, sandbox } = site;
  await setUp(site, async ({ delivery }) => {
    for (const kind of KINDS)
      await addDestination(site, delivery, { kind, team: 'acme', parallel: random.between(1, 3) });
  });
  let count = 0;
  const misbehave = (): void => {
    for (const kind of KINDS) {
      count += 1;
      sandbox.standIns.get(kind)!.setFault(faultOf(random.pick(FAULTS), random.between(1, 4)));
    }
  };
  misbehave();
  const activity = together(producer(site, 'acme', 'p1', 40), producer(site, 'acme', 'p2', 5));
  await rounds(site, { kills, activity, look: misbehave, withinMs: 400, points: { commit: 80, statement: 1_200 } });
  for (const standIn of site.standIns.values()) standIn.setFault(null);
  const ledger = await finish(site);
  site.dead = [...ledger.destinations.values()].reduce((sum, { dead }) => sum + dead.size, 0);
  return { site, faults: count };
}

/** Some requests and then well again, but for what refuses events for as long as it lasts. */
function faultOf(kind: FaultKind, requests: number): Fault {
  return kind === 'reject_items' ? { kind, every: requests + 2 } : { kind, requests };
}
