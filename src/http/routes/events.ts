import { Type } from 'typebox';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import { DeliveryList, EventList, Histogram, HistogramQuery, ListQuery } from '../../contract/events.ts';
import { teamOf } from '../access.ts';
import { shownAttempt } from '../attempt.ts';
import { eventQuery } from '../event-query.ts';
import { answers } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

/** Reading events. Their JSON goes out as it is stored: never parsed, never serialised again. */
export function eventRoutes(app: App, parts: ServerParts): void {
  const config = { access: 'events:read' } as const;
  const tags = ['events'];
  const notFound = () => problem('not_found', 'There is no event with this id in the team.');

  app.get(
    '/v1/events',
    {
      config,
      schema: {
        tags,
        summary: 'Events of a filter, page by page, newest first unless order=asc',
        querystring: ListQuery,
        response: answers(200, EventList, 'One page'),
      },
    },
    async (request, reply) => {
      const { order = 'desc', limit = 50, cursor, ...filter } = request.query;
      const team = await teamOf(request, parts);
      const page = { order, limit, ...(cursor !== undefined && { cursor }) };
      // Asked before the search, which sees at least as much.
      const { last } = await parts.log.bounds(team);
      const { events, nextCursor } = await parts.search.search(team, eventQuery(filter), page);
      const json = `{"events":[${events.join(',')}],"nextCursor":${JSON.stringify(nextCursor)},"lastSequence":${last}}`;
      return reply.type('application/json').send(json);
    },
  );

  app.get(
    '/v1/events/histogram',
    {
      config,
      schema: {
        tags,
        summary: 'Counts over time of the same filter',
        querystring: HistogramQuery,
        response: answers(200, Histogram, 'Empty buckets are left out'),
      },
    },
    async (request) => {
      const { bucketSeconds: asked, ...filter } = request.query;
      const query = eventQuery(filter);
      const bucketSeconds = asked ?? fittingBucket(query.from, query.to ?? parts.clock.now());
      const counts = await parts.search.histogram(await teamOf(request, parts), query, bucketSeconds * 1000);
      return { ...counts, bucketSeconds, buckets: counts.buckets.map((b) => ({ ...b, at: toTime(b.at) })) };
    },
  );

  app.get(
    '/v1/events/:id',
    {
      config,
      schema: {
        tags,
        summary: 'One event',
        params: IdParams,
        querystring: TeamQuery,
        response: answers(200, Type.Unsafe<string>({ $ref: 'Event#' }), 'The event'),
      },
    },
    async (request, reply) => {
      const event = await parts.log.find(await teamOf(request, parts), request.params.id);
      if (!event) throw notFound();
      return reply.type('application/json').send(event.json);
    },
  );

  app.get(
    '/v1/events/:id/deliveries',
    {
      config,
      schema: {
        tags,
        summary: 'Where one event stands at every destination of its team',
        params: IdParams,
        querystring: TeamQuery,
        response: answers(200, DeliveryList, 'One per destination'),
      },
    },
    async (request) => {
      const deliveries = await parts.delivery.deliveriesOf(await teamOf(request, parts), request.params.id);
      if (!deliveries) throw notFound();
      const items = deliveries.map(({ destination, attempt, ...d }) => ({
        ...d,
        destinationId: destination,
        deliveredAt: d.status === 'delivered' && attempt ? toTime(attempt.at) : null,
        attempt: attempt && shownAttempt(attempt),
      }));
      return { items, nextCursor: null };
    },
  );
}

const MINUTE = 60;
const DAY = 86_400;
const BUCKETS_SECONDS = [1, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE, 3600, 3 * 3600, 6 * 3600, DAY, 7 * DAY, 30 * DAY];

/** The shortest round bucket that divides the range into about 60; a day when the range is open. */
function fittingBucket(from: number | undefined, to: number): number {
  if (from === undefined) return DAY;
  const seconds = (to - from) / 1000 / 60;
  return BUCKETS_SECONDS.find((bucket) => bucket >= seconds) ?? 365 * DAY;
}
