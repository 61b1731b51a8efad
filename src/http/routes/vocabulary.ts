import { TeamQuery } from '../../contract/common.ts';
import { CategoryList, CategoryQuery, EventTypeList } from '../../contract/events.ts';
import { CATEGORIES, EVENT_TYPES } from '../../event/catalogue.ts';
import { teamOf } from '../access.ts';
import { answers } from '../openapi.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { parseTime } from '../time.ts';

/** The words for filters: what is built in, and what the team's events brought. */
export function vocabularyRoutes(app: App, parts: ServerParts): void {
  const config = { access: 'events:read' } as const;
  const tags = ['events'];

  app.get(
    '/v1/categories',
    {
      config,
      schema: {
        tags,
        summary: 'Categories, built-in and seen',
        querystring: CategoryQuery,
        response: answers(200, CategoryList, 'Built-in ones first'),
      },
    },
    async (request) => {
      const team = await teamOf(request, parts);
      const from = request.query.since === undefined ? undefined : parseTime('since', request.query.since);
      const { categories } = await parts.log.vocabulary(team);
      const builtIn = CATEGORIES.map((c) => ({ ...c, builtIn: true, seen: categories.includes(c.value) }));
      const others = categories
        .filter((value) => !CATEGORIES.some((c) => c.value === value))
        .map((value) => ({ value, label: value, builtIn: false, seen: true }));
      const items = [...builtIn, ...others];
      if (from === undefined) return { items, nextCursor: null };
      const counted = items.map(async (item, i) => {
        if (i >= MOST_COUNTED) return item;
        if (!item.seen) return { ...item, count: 0 };
        const query = { from, category: [item.value] };
        const { success, failure } = await parts.search.histogram(team, query, DAY_MS);
        return { ...item, count: success + failure };
      });
      return { items: await Promise.all(counted), nextCursor: null };
    },
  );

  app.get(
    '/v1/event-types',
    {
      config,
      schema: {
        tags,
        summary: 'Event types, built-in and seen',
        querystring: TeamQuery,
        response: answers(200, EventTypeList, 'Built-in ones first'),
      },
    },
    async (request) => {
      const { eventTypes } = await parts.log.vocabulary(await teamOf(request, parts));
      const builtIn = EVENT_TYPES.map((t) => ({ ...t, aliases: [...t.aliases], seen: eventTypes.includes(t.type) }));
      const others = eventTypes
        .filter((type) => !EVENT_TYPES.some((t) => t.type === type))
        .map((type) => ({ type, category: null, title: null, aliases: [], seen: true }));
      return { items: [...builtIn, ...others], nextCursor: null };
    },
  );
}

const DAY_MS = 86_400_000;
/** Each count is a search: a producer that makes a category of every event must not keep others from theirs. */
const MOST_COUNTED = 100;
