import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { openApi } from '../../../src/cli/api.ts';
import type { TeamId } from '../../../src/event/logged-event.ts';
import { producerEvent } from '../../rig/events.ts';
import { judge } from '../judge.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { none } from './ledger.ts';
import { asOperator, createDestination, newKey, type Served, startServed, withServed } from './served.ts';
import { examine, promisedTo, type Site, tallyOf, unexplainedRepeats, withSite } from './site.ts';

/** The whole service is killed in mid-stream; producers send again what got no answer. */
export const ingest: Scenario = {
  name: 'crash/ingest',
  uncertain: 'the crash came before the cursor moved',
  inShort: true,
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const [sites, kills] = size === 'short' ? [['a'], 2] : [['a', 'b'], 10];
    const done = await Promise.all(sites.map((name) => withSite(random.fork(name), (site) => strike(site, kills))));
    say(done.map(({ said }) => said).join('; '));
    return { ...tallyOf(done.map(({ site }) => site)), ...sumOf(done.map(({ judged }) => judged)) };
  },
};

const TEAMS = ['acme', 'bolt', 'coil'];
const DESTINATIONS = { acme: ['splunk', 'elastic'], bolt: ['qradar'], coil: ['datadog'] };

interface Answer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly unknown[];
}

/** How a producer packs its events. */
const FORMS = ['single', 'array', 'ndjson', 'gzip'] as const;
type Form = (typeof FORMS)[number];

interface Bench {
  /** Where the service is to be found now. */
  url: string;
  /** Of the installation, and by team. */
  readonly keys: Map<TeamId | null, string>;
  isOver: boolean;
  unanswered: number;
  repeated: number;
}

async function strike(
  site: Site,
  kills: number,
): Promise<{ site: Site; said: string; judged: Omit<Tally, 'faults'>[] }> {
  const bench: Bench = { url: '', keys: new Map(), isOver: false, unanswered: 0, repeated: 0 };
  const destinations = new Map<string, TeamId>();
  let producing: Promise<unknown> = Promise.resolve();
  try {
    await withServed(site, async (url, served) => {
      await setUp(site, bench, destinations, url);
      producing = Promise.all(FORMS.map((form) => produce(site, bench, form)));
      // Looked at where it is waited for.
      producing.catch(() => {});
      await acknowledgedSome(site, producing, served);
    });
    site.kills += 1;
    await examine(site);
    for (let i = 1; i < kills; i++) await oneKill(site, bench, producing);
  } finally {
    bench.isOver = true;
    await Promise.allSettled([producing]);
  }
  await producing;
  return withServed(site, async (url) => {
    const judged = [];
    for (const [destination, team] of destinations) {
      const api = openApi({ url, key: bench.keys.get(team)! });
      const acknowledged = [...promisedTo(site, team).keys()];
      judged.push(await judge({ api, destination, standIn: site.standIns.get(destination)!, acknowledged }));
      await api.close();
    }
    none(unexplainedRepeats(site), 'repeats that no crash explains');
    const said = `${bench.unanswered} requests without an answer, ${bench.repeated} sent again after their answer`;
    return { site, said, judged };
  });
}

async function setUp(site: Site, bench: Bench, destinations: Map<string, TeamId>, url: string): Promise<void> {
  bench.url = url;
  await asOperator(site, async (operator) => {
    for (const id of TEAMS) await operator.json('POST', '/v1/teams', { id, name: id });
    for (const team of [null, ...TEAMS]) bench.keys.set(team, await newKey(operator, team));
  });
  for (const [team, kinds] of Object.entries(DESTINATIONS)) {
    const api = openApi({ url, key: bench.keys.get(team)! });
    for (const kind of kinds) destinations.set(await createDestination(site, api, kind), team);
    await api.close();
  }
}

/** One life of the service, ended while it starts or while producers are at work. */
async function oneKill(site: Site, bench: Bench, producing: Promise<unknown>): Promise<void> {
  const { random } = site;
  const served = startServed(site.folder);
  try {
    if (random.between(1, 4) === 1)
      return await Promise.race([pause(random.between(0, 1_200)), served.gone, producing]).then(() => {});
    const url = await served.url;
    if (url === null) throw new Error('the service did not start');
    bench.url = url;
    await acknowledgedSome(site, producing, served);
    await pause(random.between(0, 200));
  } finally {
    await served.kill();
    site.kills += 1;
    await examine(site);
  }
}

/** Resolves when a producer has got an answer from this life of the service. */
async function acknowledgedSome(site: Site, producing: Promise<unknown>, served: Served): Promise<void> {
  const count = (): number => [...site.promised.values()].reduce((sum, { size }) => sum + size, 0);
  const before = count();
  while (count() === before && !served.isGone()) await Promise.race([pause(5), producing]);
}

/** Sends and sends again until the bench is over; each answer is checked against what is known of the request. */
async function produce(site: Site, bench: Bench, form: Form): Promise<void> {
  const random = site.random.fork(form);
  for (let n = 0; !bench.isOver; n++) {
    // The key of the installation takes events of several teams in one request.
    const team = form === 'array' ? null : random.pick(TEAMS);
    const events = Array.from({ length: form === 'single' ? 1 : random.between(1, 60) }, (_, i) => {
      const named = random.pick(TEAMS);
      return { team: team ?? named, event: eventOf(`${form}-${n}-${i}`, team === null ? named : null) };
    });
    const request = requestOf(
      form,
      bench.keys.get(team)!,
      events.map(({ event }) => event),
    );
    let mayBeThere = false;
    for (let isAnswered = false; !isAnswered && !bench.isOver; ) {
      const answer = await post(bench, request);
      isAnswered = answer !== null;
      if (answer) check(answer, events.length, mayBeThere ? 'either' : 'new');
      else bench.unanswered += 1;
      mayBeThere = true;
      if (!isAnswered) await pause(40);
      else
        for (const { team: of, event } of events)
          promisedTo(site, of).set(event.id, promisedTo(site, of).get(event.id) ?? null);
    }
    if (bench.isOver || random.between(1, 5) > 1) continue;
    const again = await post(bench, request);
    if (again) check(again, events.length, 'known');
    bench.repeated += again ? 1 : 0;
  }
}

function check({ accepted, duplicates, rejected }: Answer, count: number, expected: 'new' | 'either' | 'known'): void {
  assert.deepEqual(rejected, [], 'none is rejected');
  assert.equal(accepted + duplicates, count, 'each event is accepted or a duplicate');
  if (expected === 'new') assert.equal(duplicates, 0, 'no event is a duplicate the first time');
  if (expected === 'either') assert.ok(accepted === 0 || duplicates === 0, 'a request is kept whole or not at all');
  if (expected === 'known') assert.equal(accepted, 0, 'what was acknowledged is a duplicate');
}

function eventOf(id: string, team: TeamId | null): { id: string } {
  const event = { ...producerEvent(Number(id.replace(/\D/g, '')) % 1_000), id };
  return team === null ? event : { ...event, ...{ context: { teamId: team, requestId: id } } };
}

function requestOf(form: Form, key: string, events: readonly object[]): RequestInit {
  const lines = events.map((event) => JSON.stringify(event)).join('\n');
  const [type, body] = {
    single: () => ['application/json', lines] as const,
    array: () => ['application/json', JSON.stringify(events)] as const,
    ndjson: () => ['application/x-ndjson', lines] as const,
    gzip: () => ['application/x-ndjson', gzipSync(lines)] as const,
  }[form]();
  const encoding = form === 'gzip' ? { 'content-encoding': 'gzip' } : {};
  return { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': type, ...encoding }, body };
}

/** null: no answer, or one that says to come again. */
async function post({ url }: Bench, request: RequestInit): Promise<Answer | null> {
  try {
    const answer = await fetch(`${url}/v1/events`, request);
    const text = await answer.text();
    if (answer.status === 503) return null;
    assert.equal(answer.status, 200, text);
    return JSON.parse(text) as Answer;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return null;
  }
}

function sumOf(judged: readonly Omit<Tally, 'faults'>[][]): Pick<Tally, 'lost' | 'countersExact' | 'deadLettered'> {
  const all = judged.flat();
  return {
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    countersExact: all.every(({ countersExact }) => countersExact === true),
    deadLettered: all.reduce((sum, { deadLettered }) => sum + deadLettered, 0),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
