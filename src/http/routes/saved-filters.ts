import { randomUUIDv7 } from 'node:crypto';
import { IdParams, listOf, TeamQuery } from '../../contract/common.ts';
import { CreateSavedFilter, SavedFilter } from '../../contract/session.ts';
import type { SavedFilter as Stored } from '../../store/people.ts';
import { personOf, teamOf } from '../access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

/** Views of the audit log that a person keeps for themselves. */
export function savedFilterRoutes(app: App, parts: ServerParts): void {
  const { savedFilters, clock } = parts;
  const config = { access: 'own:settings' } as const;
  const common = { tags: ['session'], querystring: TeamQuery };

  app.get(
    '/v1/saved-filters',
    {
      config,
      schema: {
        ...common,
        summary: 'One’s own saved filters',
        response: answers(200, listOf(SavedFilter), 'Newest first'),
      },
    },
    async (request) => {
      const stored = await savedFilters.savedFilters(await teamOf(request, parts), personOf(request).id);
      return { items: stored.map(shown), nextCursor: null };
    },
  );

  app.post(
    '/v1/saved-filters',
    {
      config,
      schema: {
        ...common,
        summary: 'Save a filter',
        body: CreateSavedFilter,
        response: answers(201, SavedFilter, 'Saved'),
      },
    },
    async (request, reply) => {
      const [team, user] = [await teamOf(request, parts), personOf(request).id];
      if ((await savedFilters.savedFilters(team, user)).length >= MOST_FILTERS)
        throw invalidField('name', `is one too many: ${MOST_FILTERS} filters are kept; remove one first`);
      const filter: Stored = { ...request.body, id: randomUUIDv7(), team, user, createdAt: clock.now() };
      await savedFilters.saveFilter(filter);
      return reply.code(201).send(shown(filter));
    },
  );

  app.delete(
    '/v1/saved-filters/:id',
    {
      config,
      schema: { ...common, summary: 'Remove a saved filter', params: IdParams, response: NO_CONTENT },
    },
    async (request, reply) => {
      const team = await teamOf(request, parts);
      if (!(await savedFilters.removeFilter(team, personOf(request).id, request.params.id)))
        throw problem('not_found', 'There is no such filter of yours.');
      return reply.code(204).send();
    },
  );
}

const MOST_FILTERS = 100;

function shown({ id, name, query, createdAt }: Stored) {
  return { id, name, query, createdAt: toTime(createdAt) };
}
