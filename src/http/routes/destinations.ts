import { randomUUIDv7 } from 'node:crypto';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import {
  ChangeDestination,
  CreateDestination,
  type Destination,
  DestinationList,
  DestinationRef,
  KindList,
} from '../../contract/destinations.ts';
import type { DestinationChange, NewDestination } from '../../delivery/delivery.ts';
import type { DestinationKind } from '../../destinations/destination.ts';
import { describeSettings } from '../../destinations/settings.ts';
import type { NewEvent } from '../../event/logged-event.ts';
import type { StoredDestination } from '../../store/destinations.ts';
import { namedTeam, teamOf, teamToWriteTo } from '../access.ts';
import { destinationDeleted, destinationEvent, destinationOf } from '../destination-access.ts';
import {
  changedSettings,
  currentFilter,
  differences,
  keptFilter,
  newSettings,
  shownSettings,
} from '../destination-settings.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { parseTime, toTime } from '../time.ts';

/** Destinations of a team. Every change commits together with the audit event that records it. */
export function destinationRoutes(app: App, parts: ServerParts): void {
  const { delivery, kinds, secretBox, clock } = parts;
  const read = { access: 'destinations:read' } as const;
  const write = { access: 'destinations:write' } as const;
  const tags = ['destinations'];

  app.get(
    '/v1/destination-kinds',
    {
      config: read,
      schema: {
        tags,
        summary: 'The kinds of destinations and their settings',
        querystring: TeamQuery,
        response: answers(200, KindList, 'In order'),
      },
    },
    async () => ({
      items: kinds.map((k) => {
        const { kind, title, needs, guide } = k;
        return { kind, title, needs, guide, settings: describeSettings(k) };
      }),
      nextCursor: null,
    }),
  );

  app.get(
    '/v1/destinations',
    {
      config: read,
      schema: {
        tags,
        summary: 'Destinations',
        querystring: TeamQuery,
        response: answers(200, DestinationList, 'All of them'),
      },
    },
    async (request) => {
      // Only the operator may look at all teams at once.
      const isOverview = request.principal?.kind === 'operator' && namedTeam(request) === null;
      const stored = await (isOverview ? delivery.list() : delivery.list(await teamOf(request, parts)));
      return { items: await Promise.all(stored.map((d) => shownDestination(d, parts))), nextCursor: null };
    },
  );

  app.post(
    '/v1/destinations',
    {
      config: write,
      schema: {
        tags,
        summary: 'Create a destination; it starts to deliver at once',
        querystring: TeamQuery,
        body: CreateDestination,
        response: answers(201, DestinationRef, 'Created'),
      },
    },
    async (request, reply) => {
      const { name, settings, filter, startAt = 'now', parallel = 1, lingerMs = 0 } = request.body;
      const team = await teamToWriteTo(request, parts);
      const kind = kindOf(kinds, request.body.kind);
      const [id, at] = [randomUUIDv7(), clock.now()];
      const destination: NewDestination = {
        id,
        team,
        kind: kind.kind,
        name,
        ...newSettings(kind, id, settings, secretBox),
        filter: keptFilter(filter ?? {}),
        startAt: startAt === 'now' || startAt === 'beginning' ? startAt : parseTime('startAt', startAt),
        parallel,
        lingerMs,
        createdAt: at,
        updatedAt: at,
      };
      const created = destinationEvent(request, destination, at, {
        eventType: 'siem.destination.created',
        description: `SIEM destination "${name}" (${kind.title}) was created`,
        changes: { current: { ...differences({}, destination)?.current, filter: destination.filter, startAt } },
      });
      const stored = await delivery.create(destination, [created]);
      return reply
        .code(201)
        .header('location', `/v1/destinations/${id}`)
        .send(await shownDestination(stored, parts));
    },
  );

  app.get(
    '/v1/destinations/:id',
    {
      config: read,
      schema: {
        tags,
        summary: 'One destination',
        params: IdParams,
        querystring: TeamQuery,
        response: answers(200, DestinationRef, 'The destination'),
      },
    },
    async (request) => shownDestination(await destinationOf(request, parts), parts),
  );

  app.patch(
    '/v1/destinations/:id',
    {
      config: write,
      schema: {
        tags,
        summary: 'Change a destination; takes effect at once',
        description:
          'What is not sent stays, within `settings` and `filter` too. In `settings`, null removes a value and a secret ' +
          'is kept unless a new one is sent. A filter takes effect at the next sequence.',
        params: IdParams,
        querystring: TeamQuery,
        body: ChangeDestination,
        response: answers(200, DestinationRef, 'As it is now'),
      },
    },
    async (request) => {
      const stored = await destinationOf(request, parts);
      const { settings, filter: sentFilter, ...plain } = request.body;
      const at = clock.now();
      const audit: NewEvent[] = [];
      const kept = settings && changedSettings(kindOf(kinds, stored.kind), stored, settings, secretBox);
      const changes = differences(stored, { ...stored, ...plain, ...kept });
      if (changes)
        audit.push(
          destinationEvent(request, stored, at, {
            eventType: 'siem.destination.updated',
            description: `SIEM destination "${stored.name}" was changed`,
            changes,
          }),
        );
      const before = currentFilter(stored);
      const filter = sentFilter && keptFilter(sentFilter, before);
      const isFiltered = filter !== undefined && JSON.stringify(filter) !== JSON.stringify(before);
      if (isFiltered)
        audit.push(
          destinationEvent(request, stored, at, {
            eventType: 'siem.categories.updated',
            description: `What is forwarded to "${stored.name}" was changed`,
            changes: { previous: { ...before }, current: { ...filter } },
          }),
        );
      if (audit.length === 0) return shownDestination(stored, parts);
      const change: DestinationChange = { ...plain, ...kept, ...(isFiltered && { filter }), updatedAt: at };
      return shownDestination(await delivery.update(stored.id, change, audit), parts);
    },
  );

  app.delete(
    '/v1/destinations/:id',
    {
      config: write,
      schema: {
        tags,
        summary: 'Delete a destination with its dead letters and attempts; events stay in the log',
        params: IdParams,
        querystring: TeamQuery,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const stored = await destinationOf(request, parts);
      await delivery.remove(stored.id, [destinationDeleted(request, stored, clock.now())]);
      return reply.code(204).send();
    },
  );
}

/** A destination as the API shows it: with its state, without its secrets. */
export async function shownDestination(stored: StoredDestination, parts: ServerParts): Promise<Destination> {
  const kind = parts.kinds.find((k) => k.kind === stored.kind);
  const { categories, eventTypes, newCategories } = currentFilter(stored);
  return {
    id: stored.id,
    teamId: stored.team,
    kind: stored.kind,
    name: stored.name,
    settings: shownSettings(kind, stored),
    filter: {
      ...{ categories: categories && [...categories], eventTypes: eventTypes && [...eventTypes], newCategories },
      knownCategories: [...(stored.filters.at(-1)?.knownCategories ?? [])],
    },
    parallel: stored.parallel,
    lingerMs: stored.lingerMs,
    state: (await parts.delivery.health(stored.id)).state,
    createdAt: toTime(stored.createdAt),
    updatedAt: toTime(stored.updatedAt),
  };
}

/** The kind of that name. Throws the 422 that lists those there are. */
export function kindOf(kinds: readonly DestinationKind[], name: string): DestinationKind {
  const kind = kinds.find((k) => k.kind === name);
  if (kind) return kind;
  const message = `must be one of ${kinds.map((k) => k.kind).join(', ')}`;
  throw problem('invalid_settings', `kind ${message}`, { errors: [{ path: 'kind', message }] });
}
