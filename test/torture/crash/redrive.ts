import assert from 'node:assert/strict';
import type { Delivery } from '../../../src/delivery/delivery.ts';
import type { Scenario } from '../scenario.ts';
import { type Ledger, none } from './ledger.ts';
import {
  type Activity,
  addDestination,
  atTwoSites,
  auditEvent,
  finish,
  nothingPending,
  producer,
  rounds,
  type Site,
  setUp,
  together,
  unexplainedRepeats,
} from './site.ts';

/** Every few events are refused; dead letters are sent again, all and chosen ones, and the service is killed meanwhile. */
export const redrive: Scenario = {
  name: 'crash/redrive',
  uncertain: 'the crash came before a delivery was settled',
  inShort: true,
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 4 : 12;
    return atTwoSites(random, say, (site) => strike(site, kills));
  },
};

const TEAM = 'acme';

/** What was asked for between two crashes: the dead letters before it, and the events that were to record it. */
interface Asked {
  readonly dead: ReadonlyMap<string, ReadonlySet<string>>;
  readonly audits: Map<string, string[]>;
  readonly answered: string[];
}

async function strike(site: Site, kills: number): Promise<{ site: Site; said: string }> {
  await setUp(site, async ({ delivery }) => {
    await addDestination(site, delivery, { kind: 'splunk', team: TEAM });
    await addDestination(site, delivery, { kind: 'elastic', team: TEAM, parallel: 2 });
    await addDestination(site, delivery, { kind: 'datadog', team: TEAM });
  });
  const rejecting = (): void => {
    // At times what was refused is taken now.
    for (const standIn of site.standIns.values())
      standIn.setFault(
        site.random.between(1, 3) === 1 ? null : { kind: 'reject_items', every: site.random.between(3, 7) },
      );
  };
  let asked: Asked = { dead: new Map(), audits: new Map(), answered: [] };
  const everDead = new Set<string>();
  const look = (ledger: Ledger): void => {
    recorded(ledger, asked);
    separate(site, ledger);
    const dead = new Map([...ledger.destinations].map(([id, { dead }]) => [id, dead]));
    for (const [id, events] of dead) for (const event of events) everDead.add(`${id} ${event}`);
    asked = { dead, audits: new Map(), answered: [] };
    rejecting();
  };
  const producers = ['p1', 'p2'].map((name) => producer(site, TEAM, name, 15));
  const askers = [...site.standIns.keys()].map((id) => redriver(site, id, () => asked));
  rejecting();
  const points = { commit: 50, statement: 500 };
  await rounds(site, { kills, activity: together(...producers, ...askers), look, points });
  for (const standIn of site.standIns.values()) standIn.setFault(null);
  const ledger = await finish(site, { wait: allTaken(site) });
  separate(site, ledger);
  for (const { stored, dead } of ledger.destinations.values())
    assert.equal(dead.size, 0, `${stored.name}: all were taken`);
  none(unexplainedRepeats(site), 'repeats that no crash explains');
  site.dead = everDead.size;
  return { site, said: `${everDead.size} dead letters, none left in the end` };
}

/** Sends again all dead letters, or some, until the victim is gone. */
function redriver(site: Site, destination: string, asked: () => Asked): Activity {
  const random = site.random.fork(destination);
  return async ({ delivery, isGone }) => {
    while (!isGone()) {
      // A person would wait longer.
      await new Promise((resolve) => setTimeout(resolve, random.between(10, 120)));
      const ids = random.between(1, 2) === 1 ? null : await someOf(delivery, destination, random.between(1, 20));
      const audit = auditEvent(TEAM, 'siem.dead_letters.redriven', destination);
      const { audits, answered } = asked();
      audits.set(destination, [...(audits.get(destination) ?? []), audit.id]);
      if ((await delivery.redrive(destination, ids, [audit])) > 0) answered.push(audit.id);
    }
  };
}

async function someOf(delivery: Delivery, destination: string, count: number): Promise<string[]> {
  const { items } = await delivery.deadLetters(destination, { limit: count });
  return items.map(({ id }) => id);
}

/** What was answered is recorded; where nothing is recorded, no dead letter was sent again. */
function recorded(ledger: Ledger, { dead, audits, answered }: Asked): void {
  const logged = new Set(ledger.teams.get(TEAM)!.events.map(({ id }) => id));
  for (const audit of answered) assert.ok(logged.has(audit), 'dead letters were sent again and no event says so');
  for (const [id, before] of dead) {
    if ((audits.get(id) ?? []).some((audit) => logged.has(audit))) continue;
    const now = ledger.destinations.get(id)!;
    const moved = [...before].filter((event) => !now.dead.has(event));
    none(moved, 'dead letters go again though no event says so');
  }
}

/** None both delivered and dead. */
function separate(site: Site, ledger: Ledger): void {
  for (const [id, { stored, dead }] of ledger.destinations) {
    const at = site.standIns.get(id)!.ids();
    none(
      [...dead].filter((event) => at.has(event)),
      `${stored.name}: dead letters that were delivered`,
    );
  }
}

/** Nothing refuses any more: all dead letters go again. */
function allTaken(site: Site): Activity {
  return async ({ delivery }) => {
    for (const id of site.standIns.keys()) {
      await nothingPending(delivery, id);
      await delivery.redrive(id, null, [auditEvent(TEAM, 'siem.dead_letters.redriven', id)]);
    }
  };
}
