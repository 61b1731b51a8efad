import { Skeleton, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Health } from '../../../src/contract/destinations.ts';
import type { DeliveryList } from '../../../src/contract/events.ts';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { PageLink } from '../../ui/link.tsx';
import { Time } from '../../ui/time.tsx';
import { count } from '../../ui/words.ts';
import classes from './event-drawer.module.css';
import { useDeliveries } from './queries.ts';

type Delivery = DeliveryList['items'][number];

const MARKS: Readonly<Record<Delivery['status'], string>> = {
  delivered: '✓',
  pending: '◔',
  filtered: '–',
  before_start: '–',
  dead_letter: '▲',
};

/** Where the event stands at each SIEM, and why. */
export function EventDelivery({ id }: { id: string }) {
  const { data, error, refetch } = useDeliveries(id);
  return (
    <section className={classes['section']} aria-labelledby="event-delivery">
      <h3 id="event-delivery">Delivery</h3>
      {error && !data ? (
        <ErrorState title="Where it was delivered could not be loaded" error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton height={20} width="60%" />
      ) : data.length === 0 ? (
        <Text size="sm">
          Nothing is forwarded yet.{' '}
          <PageLink to="/settings/siem" inherit>
            Connect a SIEM
          </PageLink>
        </Text>
      ) : (
        <ul className={classes['delivery']}>
          {data.map((delivery) => (
            <li key={delivery.destinationId}>
              <span className={classes['mark']} data-status={delivery.status} aria-hidden>
                {MARKS[delivery.status]}
              </span>
              <div>
                <PageLink to="/settings/siem/$id" params={{ id: delivery.destinationId }} fw={500} inherit>
                  {delivery.name}
                </PageLink>{' '}
                <Standing delivery={delivery} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Standing({ delivery }: { delivery: Delivery }) {
  const { status, deliveredAt, attempt, reason, destinationId } = delivery;
  switch (status) {
    case 'delivered':
      if (deliveredAt === null) return <>delivered more than 30 days ago</>;
      return (
        <>
          delivered <Time at={deliveredAt} />
          {attempt && (
            <Text span inherit c="dimmed">
              {attempt.status === null ? '' : ` · answered ${attempt.status}`} in {Math.round(attempt.durationMs)} ms
              {attempt.events > 1 && `, in a batch of ${count(attempt.events)}`}
            </Text>
          )}
        </>
      );
    case 'pending':
      return <Waiting destination={destinationId} />;
    case 'filtered':
      return <>does not get it: its category or type is switched off there</>;
    case 'before_start':
      return <>does not get it: it is from before the destination’s start</>;
    case 'dead_letter':
      return (
        <>
          refused it: {reason ?? 'no reason was given'}.{' '}
          <PageLink to="/settings/siem/$id" params={{ id: destinationId }} search={{ tab: 'dead-letters' }} inherit>
            Open its dead letters
          </PageLink>
        </>
      );
    default:
      return status satisfies never;
  }
}

function Waiting({ destination }: { destination: string }) {
  const team = useTeam();
  const { data } = useQuery({
    queryKey: ['siem', team.id, 'health', destination],
    queryFn: ({ signal }) => team.api<Health>('GET', `/v1/destinations/${destination}/health`, { signal }),
    enabled: team.can('destinations:read'),
  });
  return (
    <>is still to get it. {data?.cause ? `${data.cause}. The event waits; it is not lost.` : 'It is on its way.'}</>
  );
}
