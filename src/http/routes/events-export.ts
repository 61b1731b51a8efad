import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { ExportQuery } from '../../contract/events.ts';
import type { TeamId } from '../../event/logged-event.ts';
import { ownEvent } from '../../event/own-event.ts';
import { csvHeader, csvRows } from '../../formats/csv.ts';
import type { EventQuery, Search, SearchPage } from '../../search/search.ts';
import { actorOf, teamOf } from '../access.ts';
import { eventQuery } from '../event-query.ts';
import { PROBLEM_ANSWERS } from '../openapi.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

/** Export of a filter. It is recorded before the first byte leaves: no export without its audit event. */
export function eventExportRoute(app: App, parts: ServerParts): void {
  const { search, log, clock, logger } = parts;

  app.get(
    '/v1/events/export',
    {
      config: { access: 'events:read' },
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        summary: 'All events of a filter as a file',
        querystring: ExportQuery,
        response: {
          200: {
            description:
              'Streamed, with the events there are at the start; a broken connection means an incomplete file',
            content: {
              'text/csv': { schema: Type.String() },
              'application/x-ndjson': { schema: Type.String() },
            },
          },
          ...PROBLEM_ANSWERS,
        },
      },
    },
    async (request, reply) => {
      const { format, order = 'desc', ...filter } = request.query;
      const team = await teamOf(request, parts);
      const query = eventQuery(filter);
      // What comes later, the export's own record too, is not of it: the file has as many events as its record says.
      const { last: through } = await log.bounds(team);
      const list = { order, limit: PAGE, through };
      const first = await search.search(team, query, list);
      const { success, failure } = await search.histogram(team, query, DAY_MS, through);
      const at = clock.now();
      const { team: _, ...shownFilter } = filter;
      const event = ownEvent({
        ...actorOf(request),
        team,
        eventType: 'audit.exported',
        description: `${success + failure} events were exported as ${format.toUpperCase()}`,
        metadata: { format, filter: shownFilter, events: success + failure },
        at,
      });
      await log.append([event]);
      const write = format === 'csv' ? csv : ndjson;
      const name = `audit-log-${team.replace(/[^\w.-]/g, '_')}-${toTime(at).slice(0, 10)}.${format}`;
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Readable.from(write(pages(team, query, list, first))));
    },
  );

  /** The next page is read while the reader takes the one before, and no further. */
  async function* pages(team: TeamId, query: EventQuery, list: List, first: SearchPage) {
    for (let page = first; ; ) {
      const coming = page.nextCursor === null ? null : nextPage(team, query, list, page.nextCursor);
      // A reader that leaves does not ask for it.
      coming?.catch(() => {});
      yield page.events;
      if (!coming) return;
      page = await coming;
    }
  }

  /** With the first page gone, only the service's log can say why the file breaks off. */
  async function nextPage(team: TeamId, query: EventQuery, list: List, cursor: string) {
    try {
      return await search.search(team, query, { ...list, cursor });
    } catch (error) {
      logger.error({ err: error, team }, 'an export broke off');
      throw error;
    }
  }
}

type List = Parameters<Search['search']>[2];

const PAGE = 1000;
const DAY_MS = 86_400_000;

async function* csv(pages: AsyncIterable<readonly string[]>) {
  yield csvHeader();
  for await (const events of pages) if (events.length > 0) yield csvRows(events);
}

async function* ndjson(pages: AsyncIterable<readonly string[]>) {
  for await (const events of pages) if (events.length > 0) yield `${events.join('\n')}\n`;
}
