import type { Sequence, TeamId } from '../event/logged-event.ts';
import type { Progress, StoredDestination } from '../store/destinations.ts';
import { atMost } from './at-most.ts';
import { edit, pause, redriveDeadLetters, resume } from './control.ts';
import { type Delivery, type NewDestination, UnknownDestination } from './delivery.ts';
import { withFilter } from './filter.ts';
import { nudged } from './lane.ts';
import { type LaneDependencies, LaneLoop } from './lane-loop.ts';
import { cancelReplay, countReplay, startReplay } from './replay.ts';
import { deliveriesOf, healthOf, totalsOf } from './report.ts';
import { Shares } from './shares.ts';

/** How long what is in flight may take to end and settle when delivery stops. */
const STOP_WITHIN_MS = 5_000;

export interface RunningDelivery extends Delivery {
  /** Opens every destination and begins to deliver. Without it commands are obeyed, but nothing is sent. */
  start(): Promise<void>;
  /** Sends nothing new, lets what is in flight end and settle for 5 s (or until `signal` aborts), closes everything. */
  stop(signal?: AbortSignal): Promise<void>;
  /**
   * Every event of the team up to here is durably settled or filtered at each of its destinations, paused ones
   * included; the log's last event when there is none.
   */
  settledThrough(team: TeamId): Promise<Sequence>;
}

/**
 * Each takes a body and the state of a compressor. With four (libuv's threads) and 200 lanes, whose answers come between
 * commits, lanes fell behind what is in memory while the machine had time for them.
 */
const PREPARED_AT_ONCE = 16;

/** Delivery: one lane per destination, each on its own, so that none waits for another. */
export function createDelivery(deps: LaneDependencies): RunningDelivery {
  const { log, store, clock } = deps;
  const loops = new Map<string, LaneLoop>();
  const parts = { ...deps, preparing: atMost(PREPARED_AT_ONCE), shares: new Shares() };
  let isDelivering = false;
  let isComplete = false;

  const begin = (stored: StoredDestination, progress: Progress): LaneLoop => {
    const loop = new LaneLoop(parts, stored, progress, isDelivering);
    loops.set(stored.id, loop);
    return loop;
  };
  /** The lanes (of a team); each destination that has none yet, as delivery was never started, gets its lane. */
  const lanes = async (team?: TeamId): Promise<readonly LaneLoop[]> => {
    for (const stored of isComplete ? [] : await store.list()) {
      const progress = await store.progress(stored.id);
      if (progress && !loops.has(stored.id)) begin(stored, progress);
    }
    isComplete = true;
    return [...loops.values()].filter((loop) => team === undefined || loop.stored.team === team);
  };
  const loopOf = async (id: string): Promise<LaneLoop> => {
    await lanes();
    const loop = loops.get(id);
    if (!loop) throw new UnknownDestination(`there is no destination ${id}`);
    return loop;
  };
  const stopAll = async (deadline: AbortSignal): Promise<void> => {
    await Promise.all([...loops.values()].map((loop) => loop.stop(deadline)));
    loops.clear();
    isComplete = false;
  };

  return {
    list: (team) => store.list(team),
    get: (id) => store.get(id),
    create: async (destination, audit) => {
      const { filter, startAt, ...kept } = destination;
      const startAfter = await startOf(deps, destination.team, startAt);
      const { categories: seen } = await log.vocabulary(destination.team);
      const filters = withFilter([], filter, { fromSequence: startAfter + 1, cursor: startAfter, seen });
      const stored: StoredDestination = { ...kept, filters, startAfter, paused: null };
      const progress = newProgress(startAfter, clock.now());
      await store.create(stored, progress, audit);
      begin(stored, progress);
      return stored;
    },
    update: async (id, change, audit) => edit(await loopOf(id), deps, change, audit),
    remove: async (id, audit) => {
      const loop = await loopOf(id);
      await loop.stop(AbortSignal.abort());
      try {
        await store.remove(id, audit);
        loops.delete(id);
      } catch (error) {
        begin(loop.stored, loop.lane.progress);
        throw error;
      }
    },
    pause: async (id, by, audit) => pause(await loopOf(id), deps, by, clock.now(), audit),
    resume: async (id, audit) => resume(await loopOf(id), deps, audit),
    health: async (id) => healthOf(await loopOf(id), deps),
    attempts: async (id, options) => store.attempts((await loopOf(id)).stored.id, options),
    timeline: async (id, from, to, unit) => store.timeline((await loopOf(id)).stored.id, from, to, unit),
    deadLetters: async (id, options) => store.deadLetters((await loopOf(id)).stored.id, options),
    redrive: async (id, ids, audit) => redriveDeadLetters(await loopOf(id), deps, ids, audit),
    countReplay: async (id, from, to) => {
      const { events, bytes } = await countReplay(log, (await loopOf(id)).stored, from, to);
      return { events, bytes };
    },
    replay: async (id, from, to, audit) => startReplay(await loopOf(id), deps, from, to, audit),
    replays: async (id) => store.replays((await loopOf(id)).stored.id),
    cancelReplay: async (id, replay, audit) => cancelReplay(await loopOf(id), deps, replay, audit),
    deliveriesOf: async (team, event) => deliveriesOf(await lanes(team), deps, team, event),
    totals: async () => totalsOf(await lanes()),
    tested: async (id, attempt, audit) => {
      const loop = await loopOf(id);
      await loop.turn(async () => {
        if (attempt.outcome === 'delivered') loop.lane = nudged(loop.lane);
        await loop.commit({}, { attempt, audit });
      });
    },
    start: async () => {
      isDelivering = true;
      await stopAll(AbortSignal.abort());
      await lanes();
    },
    stop: async (signal) => {
      const ended = new AbortController();
      const late = new AbortController();
      const deadline = clock.sleep(STOP_WITHIN_MS, signal ? AbortSignal.any([signal, ended.signal]) : ended.signal);
      const hurry = deadline.then(() => late.abort());
      await stopAll(late.signal);
      ended.abort();
      await hurry;
    },
    settledThrough: async (team) => {
      const destinations = await store.list(team);
      if (destinations.length === 0) return (await log.bounds(team)).last;
      const progress = await Promise.all(destinations.map(({ id }) => store.progress(id)));
      return Math.min(...progress.map((kept) => kept?.cursor ?? 0));
    },
  };
}

/** The sequence after which counting and delivery begin. Times are of receivedAt. */
async function startOf({ log }: LaneDependencies, team: TeamId, startAt: NewDestination['startAt']): Promise<Sequence> {
  if (startAt === 'now') return (await log.bounds(team)).last;
  if (startAt === 'beginning') return Math.max(0, (await log.bounds(team)).first - 1);
  return (await log.firstReceivedSince(team, startAt)) - 1;
}

function newProgress(startAfter: Sequence, now: number): Progress {
  return {
    ...{ cursor: startAfter, settledAhead: [], scanned: startAfter },
    ...{ matched: 0, filtered: 0, delivered: 0, deadLettered: 0 },
    ...{ state: 'pending', since: now, cause: null, fix: null, held: false, refusedRun: [] },
    ...{ lastSuccessAt: null, lastError: null },
  };
}
