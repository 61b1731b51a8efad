import assert from 'node:assert/strict';
import type { Sequence, TeamId } from '../../../src/event/logged-event.ts';
import type { Scenario } from '../scenario.ts';
import type { Victim } from './child.ts';
import { crashEvent, examine, promisedTo, rounds, type Site, tallyOf, withSite, withVictim } from './site.ts';

/** The index of search is killed in mid-segment: whatever it had written, a search finds each event once. */
export const indexSearch: Scenario = {
  name: 'crash/index',
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 3 : 10;
    const sites = await Promise.all(
      ['a', 'b'].map((name) => withSite(random.fork(name), (site) => strike(site, kills))),
    );
    const tally = tallyOf(sites);
    say(`${tally.faults} kills; ${tally.events} events, each found once after every start`);
    return tally;
  },
};

const TEAM = 'acme';
/** A segment holds 4,096: each life of the index has one or two to write. */
const EVENTS = 8_500;

async function strike(site: Site, kills: number): Promise<Site> {
  const promised = promisedTo(site, TEAM);
  await rounds(site, {
    kills,
    options: { index: true, deliver: false },
    worker: 'index',
    points: { commit: 2, statement: 40 },
    activity: async (victim) => {
      await foundBySearch(victim, TEAM);
      const most = promised.size + EVENTS;
      while (!victim.isGone() && promised.size < most) {
        const random = site.random.fork(`${promised.size} ${site.kills}`);
        const from = promised.size;
        const events = Array.from({ length: 500 }, (_, i) => crashEvent(TEAM, `e${site.kills}-${from + i}`, random));
        for (const [i, result] of (await victim.log.append(events)).entries())
          if (result.kind === 'appended') promised.set(events[i]!.id, result.sequence);
      }
      await foundBySearch(victim, TEAM);
    },
  });
  await withVictim(site, { index: true, deliver: false }, (victim) => foundBySearch(victim, TEAM));
  await examine(site);
  return site;
}

/** Pages through all, by a filter that they all pass: each event the log has is found, once, in order; those that arrive meanwhile may be. */
export async function foundBySearch({ search, log }: Victim, team: TeamId): Promise<void> {
  const before = await log.bounds(team);
  const found: Sequence[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await search.search(
      team,
      { status: ['success'] },
      { order: 'asc', limit: 1_000, ...(cursor ? { cursor } : {}) },
    );
    for (const json of page.events) found.push(Number(/"sequence":(\d+)/.exec(json)?.[1]));
    cursor = page.nextCursor;
    if ((found.at(-1) ?? 0) > before.last) break;
  }
  const first = (await log.bounds(team)).first;
  const kept = found.filter((sequence) => sequence >= first && sequence <= before.last);
  assert.equal(
    kept.length,
    before.last === 0 ? 0 : Math.max(0, before.last - first + 1),
    `${team}: what a search finds`,
  );
  for (const [i, sequence] of kept.entries()) assert.equal(sequence, first + i, `${team}: a search skips or repeats`);
}
