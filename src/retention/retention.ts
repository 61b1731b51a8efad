import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Sequence, TeamId } from '../event/logged-event.ts';
import type { EventLog } from '../store/event-log.ts';
import type { TeamStore } from '../store/teams.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What one round of retention did. */
export interface RetentionReport {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Events deleted, over all teams. */
  readonly deleted: number;
  /** Teams with events past their time that stay because a destination still has to get them. */
  readonly held: readonly { readonly team: TeamId; readonly events: number }[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ATTEMPTS_KEPT_DAYS = 30;
/** A clock that moves on by more than this from one hourly round to the next, or since anything was received, may be wrong. */
const LEAP_MS = DAY_MS;
const SILENCE_MS = 30 * DAY_MS;
/** Rounds, not time: a clock that leaps says nothing about how much time has passed. */
const ROUNDS_OF_DOUBT = 24;
/** Events deleted at once: appends run between two steps. */
const STEP = 65_536;

/**
 * Deletes, at start and every hour, the events that are older than their team's retention by `receivedAt` and settled or
 * filtered at every destination of the team (`settledThrough`, paused destinations included); and attempts older than 30
 * days; and whatever deleted teams left. A team that fails is logged and tried again the next hour; the others go on.
 *
 * A wrong clock must not cost a log: after a leap forward nothing is deleted until the clock has kept its time for a day.
 */
export function startRetention(options: {
  readonly log: Pick<EventLog, 'bounds' | 'firstReceivedSince' | 'deleteThrough'>;
  readonly teams: Pick<TeamStore, 'list' | 'deleted'>;
  /** Every event up to here is settled or filtered everywhere; the end of the log where there is no destination. */
  readonly settledThrough: (team: TeamId) => Promise<Sequence>;
  /** Deletes attempts older than `at` (milliseconds). */
  readonly pruneAttempts: (at: number) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}): {
  /** One round now, or the one under way. */
  runNow(): Promise<RetentionReport>;
  stop(): Promise<void>;
} {
  const { log, teams, settledThrough, pruneAttempts, clock, logger } = options;
  const stopping = new AbortController();
  let round: Promise<RetentionReport> | undefined;
  let before: number | null = null;
  /** Hourly rounds in which nothing is deleted. */
  let doubts = 0;

  /** Whether the clock may be wrong: within a day it leapt since the last round, or since anything was received. */
  const isDoubtful = async (at: number, ids: readonly TeamId[]): Promise<boolean> => {
    const hasLeapt = before === null ? await isSilentSince(at - SILENCE_MS, ids) : at - before > HOUR_MS + LEAP_MS;
    if (hasLeapt)
      logger.warn(
        { at: new Date(at).toISOString() },
        'The clock is much further on than the log: retention deletes nothing until it has kept its time for a day',
      );
    if (hasLeapt) doubts = ROUNDS_OF_DOUBT;
    before = at;
    return doubts > 0;
  };

  /** There are events, and none was received since. */
  const isSilentSince = async (at: number, ids: readonly TeamId[]): Promise<boolean> => {
    let hasEvents = false;
    for (const id of ids) {
      const { last } = await log.bounds(id);
      if (last > 0 && (await log.firstReceivedSince(id, at)) <= last) return false;
      hasEvents ||= last > 0;
    }
    return hasEvents;
  };

  /** Deletes what is due of one team and says what is due but held. Of a deleted team (`cutoff` null) all is due, none held. */
  const runTeam = async (team: TeamId, cutoff: number | null): Promise<{ deleted: number; held: number }> => {
    const { first, last } = await log.bounds(team);
    const due = cutoff === null ? last : (await log.firstReceivedSince(team, cutoff)) - 1;
    const through = cutoff === null ? due : Math.min(due, await settledThrough(team));
    let deleted = 0;
    for (let at = first - 1; at < through && !stopping.signal.aborted; await setImmediate()) {
      at = Math.min(at + STEP, through);
      deleted += await log.deleteThrough(team, at);
    }
    return { deleted, held: Math.max(0, due - Math.max(through, first - 1)) };
  };

  const run = async (): Promise<RetentionReport> => {
    const at = clock.now();
    const held: { team: TeamId; events: number }[] = [];
    let deleted = 0;
    const kept = await teams.list();
    const ids = kept.map(({ id }) => id);
    if (await isDoubtful(at, ids)) return { at, deleted, held };
    await pruneAttempts(at - ATTEMPTS_KEPT_DAYS * DAY_MS);
    const due = [
      ...kept.map(({ id, retentionDays }) => ({ id, cutoff: at - retentionDays * DAY_MS })),
      ...(await teams.deleted()).map((id) => ({ id, cutoff: null })),
    ];
    for (const { id, cutoff } of due) {
      if (stopping.signal.aborted) break;
      try {
        const done = await runTeam(id, cutoff);
        deleted += done.deleted;
        if (done.held > 0) held.push({ team: id, events: done.held });
      } catch (error) {
        logger.error({ err: error, team: id }, 'Retention failed for a team and is tried again in an hour');
      }
    }
    if (deleted > 0 || held.length > 0) logger.info({ deleted, held }, 'Retention deleted what is old and settled');
    return { at, deleted, held };
  };

  const runNow = (): Promise<RetentionReport> => {
    round ??= run().finally(() => {
      round = undefined;
    });
    return round;
  };

  const everyHour = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await runNow();
      } catch (error) {
        logger.error({ err: error }, 'Retention failed and is tried again in an hour');
      }
      await clock.sleep(HOUR_MS, stopping.signal);
      doubts = Math.max(0, doubts - 1);
    }
  };

  const running = everyHour();
  return {
    runNow,
    async stop() {
      stopping.abort();
      await running;
      await round?.catch(() => undefined);
    },
  };
}
