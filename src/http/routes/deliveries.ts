import { DeliverySummaryList, DeliverySummaryQuery } from '../../contract/events.ts';
import type { EventDelivery } from '../../delivery/delivery.ts';
import { teamOf } from '../access.ts';
import { answers } from '../openapi.ts';
import type { App, ServerParts } from '../server-parts.ts';

/** Where many events stand, in a word each: what a list shows beside its rows. */
export function deliveryRoutes(app: App, parts: ServerParts): void {
  app.get(
    '/v1/deliveries',
    {
      config: { access: 'events:read' },
      schema: {
        tags: ['events'],
        summary: 'Where up to 100 events stand, summed up over the destinations of their team',
        querystring: DeliverySummaryQuery,
        response: answers(200, DeliverySummaryList, 'Ids that the team’s log does not have are left out'),
      },
    },
    async (request) => {
      const team = await teamOf(request, parts);
      const ids = [...new Set(request.query.id)];
      const found = await Promise.all(ids.map((id) => parts.delivery.deliveriesOf(team, id)));
      const items = found.flatMap((deliveries, i) => (deliveries ? { id: ids[i]!, ...summaryOf(deliveries) } : []));
      return { items, nextCursor: null };
    },
  );
}

const WORST_FIRST = ['dead_letter', 'pending', 'delivered'] as const;

function summaryOf(deliveries: readonly EventDelivery[]) {
  const numberOf = (wanted: EventDelivery['status']) => deliveries.filter(({ status }) => status === wanted).length;
  return {
    matched: WORST_FIRST.reduce((sum, status) => sum + numberOf(status), 0),
    delivered: numberOf('delivered'),
    worst: WORST_FIRST.find((status) => numberOf(status) > 0) ?? null,
  };
}
