import assert from 'node:assert/strict';
import type { Scenario } from '../scenario.ts';
import { type Ledger, none } from './ledger.ts';
import {
  type Activity,
  addDestination,
  atTwoSites,
  auditEvent,
  crashEvent,
  finish,
  nothingPending,
  promisedTo,
  rounds,
  type Site,
  setUp,
  together,
  unexplainedRepeats,
} from './site.ts';

/** Ranges of the log are sent again, some are cancelled, and the service is killed meanwhile. */
export const replay: Scenario = {
  name: 'crash/replay',
  uncertain: 'what is sent again was asked for, or the crash came before its page was settled',
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 12 : 14;
    return atTwoSites(random, say, (site) => strike(site, kills));
  },
};

const TEAM = 'acme';
/** Replays begin and end in commits of their own, early in each life. */
const FROM = ['outside', 'commit', 'commit', 'commit', 'statement'] as const;
const EVENTS = 2_000;

interface Asked {
  readonly destination: string;
  readonly audit: string;
  /** It is cancelled in the midst, else it is let run to its end. */
  readonly isToBeCancelled: boolean;
  /** null: no answer. */
  id: string | null;
  cancelAudit: string | null;
  isCancelled: boolean;
}

async function strike(site: Site, kills: number): Promise<{ site: Site; said: string }> {
  await setUp(site, async ({ delivery, log }) => {
    await addDestination(site, delivery, { kind: 'splunk', team: TEAM });
    await addDestination(site, delivery, { kind: 'qradar', team: TEAM, parallel: 3 });
    await addDestination(site, delivery, { kind: 'elastic', team: TEAM });
    const promised = promisedTo(site, TEAM);
    for (let n = 0; n < EVENTS; n += 200) {
      const events = Array.from({ length: 200 }, (_, i) => crashEvent(TEAM, `e${n + i}`, site.random));
      for (const [i, result] of (await log.append(events)).entries())
        if (result.kind === 'appended') promised.set(events[i]!.id, result.sequence);
    }
    for (const id of site.standIns.keys()) await nothingPending(delivery, id);
  });
  const asked: Asked[] = [];
  const running = new Map<string, number>();
  const look = (ledger: Ledger): void => {
    for (const [id, { replays }] of ledger.destinations)
      if (replays.some(({ status }) => status === 'running')) running.set(id, (running.get(id) ?? 0) + 1);
    askedIsThere(ledger, asked);
  };
  const activities = [...site.standIns.keys()].map((destination) => asker(site, destination, asked));
  await rounds(site, {
    kills,
    activity: together(...activities),
    look,
    points: { commit: 5, statement: 150 },
    from: FROM,
  });
  const ledger = await finish(site, { wait: noneRunning });
  askedIsThere(ledger, asked);
  const covering = sentAgain(site, ledger);
  const mayRepeat = (id: string, event: string): number => (covering.get(id)?.get(event) ?? 0) + (running.get(id) ?? 0);
  none(unexplainedRepeats(site, mayRepeat), 'repeats that nobody asked for');
  const all = [...ledger.destinations.values()].flatMap(({ replays }) => replays);
  const ended = (status: string): number => all.filter((one) => one.status === status).length;
  return { site, said: `${ended('done')} replays done, ${ended('cancelled')} cancelled` };
}

/** Asks for a replay when none runs, and cancels two of three in the midst, until the victim is gone. */
function asker(site: Site, destination: string, asked: Asked[]): Activity {
  const random = site.random.fork(destination);
  return async ({ delivery, isGone }) => {
    while (!isGone()) {
      const running = (await delivery.replays(destination)).find(({ status }) => status === 'running');
      if (!running) {
        const audit = auditEvent(TEAM, 'siem.destination.replayed', destination);
        const one: Asked = {
          ...{ destination, audit: audit.id, isToBeCancelled: random.between(1, 3) > 1 },
          ...{ id: null, cancelAudit: null, isCancelled: false },
        };
        asked.push(one);
        one.id = (await delivery.replay(destination, 0, Date.now() + 1, [audit])).id;
      }
      await new Promise((resolve) => setTimeout(resolve, random.between(1, 30)));
      // One whose begin got no answer is let run to its end.
      const known = asked.findLast((one) => one.destination === destination && one.id !== null);
      if (!known?.id || known.cancelAudit !== null || !known.isToBeCancelled) continue;
      const cancelled = auditEvent(TEAM, 'siem.destination.replay_cancelled', destination);
      known.cancelAudit = cancelled.id;
      known.isCancelled = await delivery.cancelReplay(destination, known.id, [cancelled]);
    }
  };
}

/** What was answered is there with its audit event; what was not is there whole or not at all. */
function askedIsThere(ledger: Ledger, asked: readonly Asked[]): void {
  const logged = new Set(ledger.teams.get(TEAM)!.events.map(({ id }) => id));
  for (const [id, { replays }] of ledger.destinations) {
    const ofThis = asked.filter(({ destination }) => destination === id);
    const recorded = ofThis.filter(({ audit }) => logged.has(audit));
    assert.equal(replays.length, recorded.length, 'as many replays are kept as audit events say');
    const cancelled = ofThis.filter(({ cancelAudit }) => cancelAudit !== null && logged.has(cancelAudit));
    const isCancelled = replays.filter(({ status }) => status === 'cancelled');
    assert.equal(isCancelled.length, cancelled.length, 'as many replays are cancelled as audit events say');
    const status = new Map(replays.map((one) => [one.id, one.status]));
    for (const one of ofThis) {
      if (one.id === null) continue;
      assert.ok(status.has(one.id), 'a replay whose begin was answered is gone');
      if (one.isCancelled) assert.equal(status.get(one.id), 'cancelled', 'a replay whose end was answered goes on');
    }
  }
}

const noneRunning: Activity = async ({ delivery, isGone }) => {
  for (const { id } of await delivery.list())
    while (!isGone() && (await delivery.replays(id)).some(({ status }) => status === 'running'))
      await new Promise((resolve) => setTimeout(resolve, 10));
};

/** How often each event was to be sent again, by destination. Throws where a finished replay did not send it so often. */
function sentAgain(site: Site, ledger: Ledger): Map<string, Map<string, number>> {
  const { events } = ledger.teams.get(TEAM)!;
  const all = new Map<string, Map<string, number>>();
  for (const [id, { stored, replays }] of ledger.destinations) {
    const most = new Map<string, number>();
    const at = site.standIns.get(id)!.ids();
    for (const { status, events: matching, delivered, rejected } of replays)
      if (status === 'done') assert.equal(delivered + rejected, matching, 'a finished replay sent its whole range');
    for (const { id: event, sequence } of events) {
      const covering = replays.filter(({ after, through }) => sequence > after && sequence <= through);
      most.set(event, covering.length);
      const least = 1 + covering.filter(({ status }) => status === 'done').length;
      if (stored.kind !== 'elastic') assert.ok(at.get(event)! >= least, `${event} is ${least} times at ${stored.kind}`);
    }
    all.set(id, most);
  }
  return all;
}
