import classes from './event-table.module.css';
import type { RowDelivery } from './row-delivery.ts';

/** What waits longer than this is worth a look. */
const LATE_MS = 60_000;

/** ⇡ 2/2: it is at both SIEMs. A mark says that it is late, or will not get there by itself. */
export function DeliveryMark({
  delivery,
  receivedAt,
  now,
}: {
  delivery: RowDelivery;
  receivedAt: string;
  now: number;
}) {
  const { matched, delivered, worst } = delivery;
  if (matched === 0)
    return (
      <span className={classes['quiet']} title="No destination forwards this category">
        <span aria-hidden>–</span>
        <span className={classes['spoken']}>not forwarded</span>
      </span>
    );
  const isLate = worst === 'pending' && now - Date.parse(receivedAt) > LATE_MS;
  const state =
    worst === 'dead_letter'
      ? 'refused by a SIEM'
      : isLate
        ? 'waiting'
        : worst === 'pending'
          ? 'on its way'
          : 'delivered';
  return (
    <span
      data-worst={worst === 'dead_letter' ? 'dead' : isLate ? 'late' : worst}
      title={`At ${delivered} of ${matched}: ${state}`}
    >
      <span aria-hidden>
        ⇡ {delivered}/{matched}
        {worst === 'dead_letter' || isLate ? ' ▲' : worst === 'pending' ? ' …' : ''}
      </span>
      <span className={classes['spoken']}>{`at ${delivered} of ${matched} SIEMs, ${state}`}</span>
    </span>
  );
}
