import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { Delivery, NewDestination } from '../../../src/delivery/delivery.ts';
import type { StandIn } from '../../../src/destinations/destination.ts';
import { destinationKinds } from '../../../src/destinations/registry.ts';
import type { NewEvent, Sequence, TeamId } from '../../../src/event/logged-event.ts';
import { ownEvent } from '../../../src/event/own-event.ts';
import { sealEvent } from '../../../src/event/seal.ts';
import { newSettings } from '../../../src/http/destination-settings.ts';
import { kindOf } from '../../../src/http/routes/destinations.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox.ts';
import { SecretBox } from '../../../src/secrets.ts';
import { eventually } from '../../rig/events.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Tally } from '../scenario.ts';
import { type KillAt, MASTER_KEY, startVictim, type Victim, VictimGone, type VictimOptions, warmUp } from './child.ts';
import { type Ledger, none, readLedger } from './ledger.ts';

/** A data folder, the stand-ins its destinations deliver to, and what was promised to producers. */
export interface Site {
  readonly folder: string;
  readonly random: Random;
  readonly sandbox: Sandbox;
  /** By destination id. */
  readonly standIns: Map<string, StandIn>;
  /** What was acknowledged, by team: id and the place it was given; null until it is seen. */
  readonly promised: Map<TeamId, Map<string, Sequence | null>>;
  /** By destination: how often an event was at the SIEM while a crash had not let it be settled. Each explains one repeat. */
  readonly explained: Map<string, Map<string, number>>;
  kills: number;
  dead: number;
}

/** Works with the victim until it is gone; its calls reject then. */
export type Activity = (victim: Victim) => Promise<void>;

/** Runs `work` on a site of its own; the victims it started are gone at its end, whatever happened. */
export async function withSite<T>(random: Random, work: (site: Site) => Promise<T>): Promise<T> {
  await warmUp();
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10 });
  const records = { standIns: new Map(), promised: new Map(), explained: new Map() };
  try {
    return await work({ folder: folder.path, random, sandbox, ...records, kills: 0, dead: 0 });
  } finally {
    await sandbox.close();
    await folder.remove();
  }
}

/** Starts a victim, does `work` with it, and kills it whatever happens. */
export async function withVictim<T>(
  site: Site,
  options: Partial<VictimOptions>,
  work: (victim: Victim) => Promise<T>,
): Promise<T> {
  const victim = startVictim(site.folder, options);
  try {
    if (!(await victim.ready)) throw new Error('the victim did not start');
    return await work(victim);
  } finally {
    await victim.kill();
  }
}

/** The first victim, killed like all others when `work` is done. */
export async function setUp(site: Site, work: (victim: Victim) => Promise<void>): Promise<void> {
  await withVictim(site, {}, work);
  await examine(site);
}

export interface Rounds {
  readonly kills: number;
  readonly options?: Partial<VictimOptions>;
  readonly activity: Activity;
  /** After each kill, on what the files say. */
  readonly look?: (ledger: Ledger) => void;
  /** Longest time until a kill from outside, when the victim serves. */
  readonly withinMs?: number;
  /** How far the work goes until a kill from inside, at most. */
  readonly points?: Readonly<Record<KillAt['kind'], number>>;
  readonly worker?: KillAt['worker'];
  /** Where from, each as likely as it stands here. */
  readonly from?: readonly ('outside' | KillAt['kind'])[];
}

/**
 * Kills, again and again: from outside at any moment, also while it starts, or from inside at a chosen statement or
 * commit. After each the files must agree with themselves, with the stand-ins and with what was promised.
 */
export async function rounds(
  site: Site,
  { kills, options, activity, look, withinMs = 150, points = POINTS, worker = 'log', from = FROM }: Rounds,
): Promise<void> {
  const { random } = site;
  for (let i = 0; i < kills; i++) {
    const kind = random.pick(from);
    const killAt = kind === 'outside' ? null : { worker, kind, count: random.between(1, points[kind]) };
    const victim = startVictim(site.folder, { ...options, killAt });
    const working = victim.ready.then(async (serves) => {
      if (serves) await activity(victim);
    });
    const failed = working.then(
      () => [],
      (error: unknown) => (error instanceof VictimGone ? [] : [error]),
    );
    const isStarting = random.between(1, 6) === 1;
    if (!isStarting) await victim.ready;
    const waitMs = isStarting ? random.between(0, 250) : killAt ? 4_000 : random.between(0, withinMs);
    await Promise.race([victim.gone, pause(waitMs)]);
    await victim.kill();
    for (const error of await failed) throw error;
    site.kills += 1;
    const ledger = await examine(site);
    look?.(ledger);
  }
}

/** Lets what waits arrive, then judges what is left in files and stand-ins. `wait`: what else must come first. */
export async function finish(
  site: Site,
  { options, wait }: { options?: Partial<VictimOptions>; wait?: Activity } = {},
): Promise<Ledger> {
  await withVictim(site, { ...options }, async (victim) => {
    await wait?.(victim);
    for (const id of site.standIns.keys()) await nothingPending(victim.delivery, id);
    // What was only counted is written down with it.
    await victim.stop();
  });
  const ledger = await examine(site);
  for (const [id, standIn] of site.standIns) {
    const { stored, isSettled, pending, progress } = ledger.destinations.get(id)!;
    const { events } = ledger.teams.get(stored.team)!;
    assert.equal(pending.size, 0, `${stored.name}: nothing waits`);
    assert.equal(progress.cursor, events.at(-1)?.sequence ?? 0, `${stored.name}: the cursor is at the end`);
    const stray = [...standIn.ids().keys()].filter((event) => !isSettled(event));
    none(stray, `${stored.name}: there, and not counted as delivered`);
  }
  return ledger;
}

export async function nothingPending(delivery: Pick<Delivery, 'health'>, id: string): Promise<void> {
  let last = -1;
  await eventually(async () => {
    const { counts, lag, state, cause } = await delivery.health(id);
    assert.equal(counts.matched, counts.delivered + counts.deadLettered + counts.pending, 'matched = …');
    // Twice the same: what was appended a moment ago is counted by then.
    const isSame = last === counts.matched;
    last = counts.matched;
    assert.ok(
      counts.pending === 0 && lag.events === 0 && isSame,
      `${counts.pending} wait at ${id}: ${state} (${cause})`,
    );
  }, 60_000);
}

/** What a crash left: the files by themselves, against the promises, and against the stand-ins. */
export async function examine(site: Site): Promise<Ledger> {
  await quiet(site.standIns.values());
  const ledger = await readLedger(site.folder);
  for (const [team, promised] of site.promised) {
    const kept = new Map(ledger.teams.get(team)?.events.map(({ id, sequence }) => [id, sequence]));
    const lost = [...promised].filter(([id, sequence]) => kept.get(id) !== (sequence ?? kept.get(id) ?? 0));
    none(lost, `${team}: acknowledged, and not at its place`);
    for (const id of promised.keys()) promised.set(id, kept.get(id) ?? null);
  }
  for (const [id, { stored, settled, isSettled, dead }] of ledger.destinations) {
    const standIn = site.standIns.get(id);
    if (!standIn) continue;
    const at = standIn.ids();
    const missing = [...settled].filter((event) => !dead.has(event) && !at.has(event));
    none(missing, `${stored.name}: counted as delivered, and not there`);
    const explained = site.explained.get(id) ?? new Map<string, number>();
    site.explained.set(id, explained);
    for (const event of at.keys()) if (!isSettled(event)) explained.set(event, (explained.get(event) ?? 0) + 1);
  }
  return ledger;
}

/** Repeats that no crash before the cursor moved explains; `asked`: how often each was asked for again. */
export function unexplainedRepeats(
  site: Site,
  asked: (destination: string, event: string) => number = () => 0,
): string[] {
  const unexplained: string[] = [];
  for (const [id, standIn] of site.standIns)
    for (const [event, times] of standIn.ids())
      if (times - 1 > (site.explained.get(id)?.get(event) ?? 0) + asked(id, event))
        unexplained.push(`${event}: ${times} times at ${id}`);
  return unexplained;
}

/** Makes a destination of this kind that delivers to its stand-in, from the log's beginning. */
export async function addDestination(
  site: Site,
  delivery: Pick<Delivery, 'create'>,
  change: Partial<NewDestination> & Pick<NewDestination, 'kind' | 'team'>,
): Promise<string> {
  const id = randomUUIDv7();
  const standIn = site.sandbox.standIns.get(change.kind)!;
  const kept = newSettings(kindOf(destinationKinds, change.kind), id, { ...standIn.settings }, BOX);
  const filter = { categories: null, eventTypes: null, newCategories: true };
  const at = Date.now();
  await delivery.create(
    {
      ...{ id, name: change.kind, ...kept, filter, startAt: 'beginning', parallel: 1, lingerMs: 0 },
      ...{ createdAt: at, updatedAt: at, ...change },
    },
    [auditEvent(change.team, 'siem.destination.created', id)],
  );
  site.standIns.set(id, standIn);
  return id;
}

export function crashEvent(team: TeamId, id: string, random: Random): NewEvent {
  const eventType = random.pick(['auth.login.success', 'user.created', 'apikey.used']);
  const eventCategory = { 'auth.login.success': 'authentication', 'user.created': 'user_management' }[eventType];
  return sealEvent({
    timestamp: new Date().toISOString(),
    ...{ id, version: '1.0', eventType, eventCategory: eventCategory ?? 'api_access', status: 'success' },
    description: 'x'.repeat(random.between(0, 200)),
    actor: { id: 'usr_1', type: 'user' },
    context: { teamId: team },
  });
}

/** The event that records a change, as the HTTP side makes it. */
export function auditEvent(team: TeamId, eventType: string, destination: string): NewEvent {
  return ownEvent({
    ...{ team, eventType, description: eventType, actor: { id: 'bench', type: 'system' }, at: Date.now() },
    target: { type: 'siem_destination', id: destination },
  });
}

/** Appends batches one after the other; one without an answer goes again, to whoever serves next. */
export function producer(site: Site, team: TeamId, name: string, largest = 20): Activity {
  const random = site.random.fork(`${team} ${name}`);
  const promised = promisedTo(site, team);
  let made = 0;
  let open: readonly NewEvent[] | null = null;
  let isRepeated = false;
  return async ({ log, isGone }) => {
    while (!isGone()) {
      open ??= Array.from({ length: random.between(1, largest) }, () => crashEvent(team, `${name}-${++made}`, random));
      const sent: readonly NewEvent[] = open;
      const wasRepeated = isRepeated;
      isRepeated = true;
      const appended = await log.append(sent);
      const kinds = new Set(appended.map(({ kind }) => kind));
      assert.ok(kinds.size === 1, `${name}: one append was kept in parts: ${[...kinds].join(', ')}`);
      assert.ok(kinds.has('appended') || (wasRepeated && kinds.has('duplicate')), `${name}: ${[...kinds].join(', ')}`);
      for (const [i, result] of appended.entries())
        if ('sequence' in result) promised.set(sent[i]!.id, result.sequence);
      open = null;
      isRepeated = false;
    }
  };
}

export function promisedTo({ promised }: Site, team: TeamId): Map<string, Sequence | null> {
  const known = promised.get(team) ?? new Map<string, Sequence | null>();
  promised.set(team, known);
  return known;
}

/** All of them at once, until the victim is gone. */
export function together(...activities: readonly Activity[]): Activity {
  return async (victim) => {
    const all = await Promise.allSettled(activities.map((activity) => activity(victim)));
    for (const one of all) if (one.status === 'rejected' && !(one.reason instanceof VictimGone)) throw one.reason;
  };
}

/** Sums of sites that ran side by side. */
export function tallyOf(sites: readonly Site[], faults = 0): Tally {
  const sum = (of: (site: Site) => number): number => sites.reduce((total, site) => total + of(site), 0);
  return {
    events: sum(({ promised }) => [...promised.values()].reduce((total, events) => total + events.size, 0)),
    faults: sum(({ kills }) => kills) + faults,
    lost: 0,
    duplicated: sum(({ standIns }) => [...standIns.values()].reduce((total, at) => total + at.counts().duplicates, 0)),
    deadLettered: sum(({ dead }) => dead),
    countersExact: true,
  };
}

/** Resolves when the stand-ins have taken in whatever a dead process had sent. */
async function quiet(standIns: Iterable<StandIn>): Promise<void> {
  const all = [...standIns];
  let before = '';
  let same = 0;
  await eventually(
    () => {
      const now = JSON.stringify(all.map((standIn) => standIn.counts()));
      same = now === before ? same + 1 : 0;
      before = now;
      assert.ok(same >= 2, 'the stand-ins are still taking events in');
    },
    10_000,
    4,
  );
}

/** A pause that ends with the process it waits for; `Promise.race` lets it go. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

const FROM = ['outside', 'commit', 'commit', 'statement'] as const;
const POINTS = { commit: 60, statement: 800 };
const BOX = new SecretBox(Buffer.from(MASTER_KEY, 'hex'));

/** Strikes at two sites at once, which is what two cores have room for; what both said, and their tally. */
export async function atTwoSites(
  random: Random,
  say: (line: string) => void,
  strike: (site: Site) => Promise<{ readonly site: Site; readonly said: string }>,
): Promise<Tally> {
  const done = await Promise.all(['a', 'b'].map((name) => withSite(random.fork(name), strike)));
  say(done.map(({ said }) => said).join('; '));
  return tallyOf(done.map(({ site }) => site));
}
