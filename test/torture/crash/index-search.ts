import assert from 'node:assert/strict';
import type { Sequence, TeamId } from '../../../src/event/logged-event.ts';
import { eventually } from '../../rig/events.ts';
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
/** A segment holds 4,096: each life of the index has one or two to write, and the first soon sixteen to join. */
const EVENTS = 8_500;
const BEFORE = 14 * 4_096;

async function strike(site: Site, kills: number): Promise<Site> {
  const promised = promisedTo(site, TEAM);
  const grow = async (victim: Victim, most: number): Promise<void> => {
    while (!victim.isGone() && promised.size < most) {
      const random = site.random.fork(`${promised.size} ${site.kills}`);
      const from = promised.size;
      const events = Array.from({ length: 500 }, (_, i) => crashEvent(TEAM, `e${site.kills}-${from + i}`, random));
      for (const [i, result] of (await victim.log.append(events)).entries())
        if (result.kind === 'appended') promised.set(events[i]!.id, result.sequence);
    }
  };
  await withVictim(site, { index: true, deliver: false }, (victim) => grow(victim, BEFORE));
  await rounds(site, {
    kills,
    options: { index: true, deliver: false },
    worker: 'index',
    points: { commit: 3, statement: 90 },
    withinMs: 1_500,
    activity: async (victim) => {
      await grow(victim, promised.size + EVENTS);
      await foundBySearch(victim, TEAM);
    },
  });
  await withVictim(site, { index: true, deliver: false }, async (victim) => {
    await grow(victim, promised.size + EVENTS);
    await eventually(async () => assert.equal(await victim.search.lag(), 0, 'events wait to be indexed'), 30_000);
    await foundBySearch(victim, TEAM);
  });
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
