import type { FilterQuery } from '../contract/events.ts';
import { canonicalType } from '../event/catalogue.ts';
import type { EventQuery } from '../search/search.ts';
import { invalidField } from './problem.ts';
import { parseTime } from './time.ts';

/** The filter parameters of a request, as search takes them: times in milliseconds, type aliases mapped. */
export function eventQuery({ team: _, from, to, eventType, ...rest }: FilterQuery): EventQuery {
  const query: EventQuery = {
    ...rest,
    ...(from !== undefined && { from: parseTime('from', from) }),
    ...(to !== undefined && { to: parseTime('to', to) }),
    ...(eventType !== undefined && { eventType: eventType.map(canonicalType) }),
  };
  if (query.from !== undefined && query.to !== undefined && query.from > query.to)
    throw invalidField('from', 'must not be after to');
  return query;
}
