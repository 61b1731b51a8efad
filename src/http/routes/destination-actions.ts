import { Type } from 'typebox';
import { IdParams, PageQuery, TeamQuery } from '../../contract/common.ts';
import {
  AttemptList,
  DeadLetterList,
  DestinationRef,
  Health,
  RedriveBody,
  Redriven,
  Replay,
  ReplayBody,
  ReplayList,
  ReplayParams,
  Timeline,
  TimelineQuery,
} from '../../contract/destinations.ts';
import type { DeadLetter, Replay as StoredReplay } from '../../store/destinations.ts';
import type { Team } from '../../store/teams.ts';
import { actorOf } from '../access.ts';
import { shownAttempt } from '../attempt.ts';
import { destinationEvent, destinationOf } from '../destination-access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { parseTime, toTime, toTimeOrNull } from '../time.ts';
import { shownDestination } from './destinations.ts';

/** What is done to a destination, and what can be seen of its work. */
export function destinationActionRoutes(app: App, parts: ServerParts): void {
  const { delivery, clock } = parts;
  const read = { access: 'destinations:read' } as const;
  const readEvents = { access: 'events:read' } as const;
  const write = { access: 'destinations:write' } as const;
  const common = { tags: ['destinations'], params: IdParams, querystring: TeamQuery };
  const paged = { ...common, querystring: PageQuery };

  app.post(
    '/v1/destinations/:id/pause',
    {
      config: write,
      schema: {
        ...common,
        summary: 'Stop sending; events wait, none is lost',
        response: answers(200, DestinationRef, 'Paused'),
      },
    },
    async (request) => {
      const stored = await destinationOf(request, parts);
      if (!stored.paused) {
        const { actor } = actorOf(request);
        const paused = destinationEvent(request, stored, clock.now(), {
          eventType: 'siem.destination.paused',
          description: `SIEM destination "${stored.name}" was paused`,
          changes: { previous: { paused: false }, current: { paused: true } },
        });
        await delivery.pause(stored.id, actor.name ?? actor.id, [paused]);
      }
      return shownDestination(stored, parts);
    },
  );

  app.post(
    '/v1/destinations/:id/resume',
    {
      config: write,
      schema: {
        ...common,
        summary: 'Send what waited, and go on',
        response: answers(200, DestinationRef, 'Resumed'),
      },
    },
    async (request) => {
      const stored = await destinationOf(request, parts);
      if (stored.paused) {
        const resumed = destinationEvent(request, stored, clock.now(), {
          eventType: 'siem.destination.resumed',
          description: `SIEM destination "${stored.name}" was resumed`,
          changes: { previous: { paused: true }, current: { paused: false } },
          metadata: { pausedSince: toTime(stored.paused.at) },
        });
        await delivery.resume(stored.id, [resumed]);
      }
      return shownDestination(stored, parts);
    },
  );

  app.get(
    '/v1/destinations/:id/health',
    {
      config: read,
      schema: {
        ...common,
        summary: 'State, cause, fix, lag and counts',
        response: answers(200, Health, 'matched = delivered + deadLettered + pending, at every moment'),
      },
    },
    async (request) => {
      const { id, team } = await destinationOf(request, parts);
      const health = await delivery.health(id);
      const kept = keptWarning(health.lag.seconds, await parts.teams.get(team));
      return {
        ...health,
        warning: [health.warning, kept].filter(Boolean).join(' ') || null,
        since: toTime(health.since),
        nextAttemptAt: toTimeOrNull(health.nextAttemptAt),
        lastSuccessAt: toTimeOrNull(health.lastSuccessAt),
        lastError: health.lastError && { ...health.lastError, at: toTime(health.lastError.at) },
      };
    },
  );

  app.get(
    '/v1/destinations/:id/attempts',
    {
      config: read,
      schema: { ...paged, summary: 'Attempts of 30 days', response: answers(200, AttemptList, 'Newest first') },
    },
    async (request) => {
      const { id } = await destinationOf(request, parts);
      const { items, nextCursor } = await delivery.attempts(id, pageOf(request.query));
      return { items: items.map(shownAttempt), nextCursor };
    },
  );

  app.get(
    '/v1/destinations/:id/timeline',
    {
      config: read,
      schema: {
        ...common,
        querystring: TimelineQuery,
        summary: 'What was delivered over time, what failed, and how long events had waited',
        response: answers(200, Timeline, 'Oldest first; buckets without attempts are left out'),
      },
    },
    async (request) => {
      const { id } = await destinationOf(request, parts);
      const { hours = 24 } = request.query;
      // 1,440 minutes or 720 hours at most: what a chart can show.
      const unit = hours > 24 ? 'hour' : 'minute';
      const to = clock.now() + 1;
      const buckets = await delivery.timeline(id, to - hours * HOUR_MS, to, unit);
      return {
        unit,
        buckets: buckets.map(({ at, delivered, failed, maxLagMs }) => {
          const lagSeconds = maxLagMs === null ? null : maxLagMs / 1000;
          return { at: toTime(at), delivered, failed, lagSeconds };
        }),
      };
    },
  );

  app.get(
    '/v1/destinations/:id/dead-letters',
    {
      config: readEvents,
      schema: {
        ...paged,
        summary: 'Events the SIEM refused, with its reason',
        response: answers(200, DeadLetterList, 'By sequence'),
      },
    },
    async (request, reply) => {
      const { id } = await destinationOf(request, parts);
      const { items, nextCursor } = await delivery.deadLetters(id, pageOf(request.query));
      const json = `{"items":[${items.map(deadLetterJson).join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`;
      return reply.type('application/json').send(json);
    },
  );

  app.post(
    '/v1/destinations/:id/dead-letters/redrive',
    {
      config: write,
      schema: {
        ...common,
        summary: 'Send dead letters again, all or chosen ones',
        body: Type.Union([RedriveBody, Type.Null()]),
        response: answers(200, Redriven, 'How many go again'),
      },
    },
    async (request) => {
      const stored = await destinationOf(request, parts);
      const ids = request.body?.ids ?? null;
      const redriven = destinationEvent(request, stored, clock.now(), {
        eventType: 'siem.dead_letters.redriven',
        description: `Dead letters of "${stored.name}" were sent again`,
        metadata: { ids: ids ?? 'all' },
      });
      return { redriven: await delivery.redrive(stored.id, ids, [redriven]) };
    },
  );

  app.post(
    '/v1/destinations/:id/replay',
    {
      config: write,
      schema: {
        ...common,
        summary: 'Send a range of events again',
        body: ReplayBody,
        response: { ...answers(200, Replay, 'Dry run: what it would send'), ...answers(201, Replay, 'Begun') },
      },
    },
    async (request, reply) => {
      const stored = await destinationOf(request, parts);
      const [from, to] = [parseTime('from', request.body.from), parseTime('to', request.body.to)];
      if (from >= to) throw invalidField('to', 'must be after from');
      if (request.body.dryRun) {
        const counts = await delivery.countReplay(stored.id, from, to);
        return { ...DRY_RUN, ...counts, from: toTime(from), to: toTime(to) };
      }
      const replayed = destinationEvent(request, stored, clock.now(), {
        eventType: 'siem.destination.replayed',
        description: `Events were sent to "${stored.name}" again`,
        metadata: { from: toTime(from), to: toTime(to) },
      });
      return reply.code(201).send(shownReplay(await delivery.replay(stored.id, from, to, [replayed])));
    },
  );

  app.get(
    '/v1/destinations/:id/replays',
    {
      config: read,
      schema: { ...common, summary: 'Replays and their progress', response: answers(200, ReplayList, 'Newest first') },
    },
    async (request) => {
      const replays = await delivery.replays((await destinationOf(request, parts)).id);
      return { items: replays.map(shownReplay), nextCursor: null };
    },
  );

  app.delete(
    '/v1/destinations/:id/replays/:replay',
    {
      config: write,
      schema: { ...common, params: ReplayParams, summary: 'Stop a replay', response: NO_CONTENT },
    },
    async (request, reply) => {
      const stored = await destinationOf(request, parts);
      const { replay } = request.params;
      const cancelled = destinationEvent(request, stored, clock.now(), {
        eventType: 'siem.destination.replay_cancelled',
        description: `Sending events to "${stored.name}" again was stopped`,
        changes: { previous: { status: 'running' }, current: { status: 'cancelled' } },
        metadata: { replay },
      });
      if (!(await delivery.cancelReplay(stored.id, replay, [cancelled])))
        throw problem('not_found', 'There is no such replay, or it has ended.');
      return reply.code(204).send();
    },
  );
}

const HOUR_MS = 3_600_000;
const DRY_RUN = { id: null, delivered: 0, rejected: 0, status: 'dry_run', createdAt: null, endedAt: null } as const;

function pageOf({ cursor, limit = 50 }: { readonly cursor?: string; readonly limit?: number }) {
  return { limit, ...(cursor !== undefined && { cursor }) };
}

/** The event goes out as it is stored. */
function deadLetterJson({ json, timestamp, receivedAt, at, ...rest }: DeadLetter): string {
  const shown = { ...rest, timestamp: toTime(timestamp), receivedAt: toTime(receivedAt), at: toTime(at) };
  return `${JSON.stringify(shown).slice(0, -1)},"event":${json}}`;
}

function shownReplay({ id, from, to, events, bytes, delivered, rejected, status, createdAt, endedAt }: StoredReplay) {
  return {
    id,
    from: toTime(from),
    to: toTime(to),
    events,
    bytes,
    delivered,
    rejected,
    status,
    createdAt: toTime(createdAt),
    endedAt: toTimeOrNull(endedAt),
  };
}

/** Retention never deletes what a destination still waits for; whoever counts on it deleting must be told. */
function keptWarning(oldestSeconds: number, team: Team | undefined): string | null {
  if (!team || oldestSeconds <= team.retentionDays * 86_400) return null;
  return `Events are waiting that are older than the team's retention of ${team.retentionDays} days: they are kept until they are delivered.`;
}
