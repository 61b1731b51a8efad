import type { Scenario } from '../scenario.ts';
import { none } from './ledger.ts';
import {
  addDestination,
  finish,
  producer,
  rounds,
  type Site,
  setUp,
  tallyOf,
  together,
  unexplainedRepeats,
  withSite,
} from './site.ts';

/** Kills in the moments around commits, while producers append and several lanes settle. */
export const appendSettle: Scenario = {
  name: 'crash/append-settle',
  uncertain: 'the crash came before the cursor moved',
  inShort: true,
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 3 : 24;
    const sites = await Promise.all(
      ['a', 'b'].map((name) => withSite(random.fork(name), (site) => strike(site, kills))),
    );
    const tally = tallyOf(sites);
    say(
      `${tally.faults} kills; ${tally.events} events at five SIEMs, ${tally.duplicated} repeats, each explained by a crash`,
    );
    return tally;
  },
};

async function strike(site: Site, kills: number): Promise<Site> {
  await setUp(site, async ({ delivery }) => {
    const some = { categories: ['authentication'], eventTypes: null, newCategories: false };
    await addDestination(site, delivery, { kind: 'splunk', team: 'acme' });
    await addDestination(site, delivery, { kind: 'elastic', team: 'acme', parallel: 4 });
    await addDestination(site, delivery, { kind: 'datadog', team: 'acme', filter: some });
    await addDestination(site, delivery, { kind: 'qradar', team: 'bolt', parallel: 2 });
    await addDestination(site, delivery, { kind: 'sentinel', team: 'bolt' });
  });
  const activity = together(producer(site, 'acme', 'p1'), producer(site, 'acme', 'p2'), producer(site, 'bolt', 'p3'));
  await rounds(site, { kills, activity });
  await finish(site);
  none(unexplainedRepeats(site), 'repeats that no crash explains');
  return site;
}
