import type { FastifyRequest } from 'fastify';
import type { NewEvent } from '../event/logged-event.ts';
import { type OwnEvent, ownEvent } from '../event/own-event.ts';
import type { StoredDestination } from '../store/destinations.ts';
import { actorOf, namedTeam } from './access.ts';
import { currentFilter, differences } from './destination-settings.ts';
import { problem } from './problem.ts';
import type { ServerParts } from './server-parts.ts';

type TeamRequest = FastifyRequest<{ Querystring: { team?: string } }>;
type DestinationRequest = FastifyRequest<{ Params: { id: string }; Querystring: { team?: string } }>;

/** The destination a request is about. */
export function destinationOf(request: DestinationRequest, parts: ServerParts): Promise<StoredDestination> {
  return destinationWithId(request.params.id, request, parts);
}

/** One of another team than the request's is answered like one that does not exist. */
export async function destinationWithId(
  id: string,
  request: TeamRequest,
  { delivery }: ServerParts,
): Promise<StoredDestination> {
  const team = namedTeam(request);
  const stored = await delivery.get(id);
  if (!stored || (team !== null && stored.team !== team)) throw problem('not_found', 'There is no such destination.');
  return stored;
}

/** The audit event of a destination's end, with all it was. */
export function destinationDeleted(request: FastifyRequest, stored: StoredDestination, at: number): NewEvent {
  return destinationEvent(request, stored, at, {
    eventType: 'siem.destination.deleted',
    description: `SIEM destination "${stored.name}" was deleted`,
    changes: { previous: { ...differences(stored, {})?.previous, filter: currentFilter(stored) } },
  });
}

/** The audit event of something done to a destination. */
export function destinationEvent(
  request: FastifyRequest,
  destination: Pick<StoredDestination, 'id' | 'team' | 'name' | 'kind'>,
  at: number,
  event: Pick<OwnEvent, 'eventType' | 'description' | 'changes' | 'metadata' | 'status' | 'failureReason'>,
): NewEvent {
  return ownEvent({
    ...actorOf(request),
    ...event,
    team: destination.team,
    target: { type: 'siem_destination', id: destination.id, name: destination.name },
    metadata: { kind: destination.kind, ...event.metadata },
    at,
  });
}
