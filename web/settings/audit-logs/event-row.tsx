import { Skeleton } from '@mantine/core';
import { type MouseEvent, memo } from 'react';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { utc } from '../../ui/time.tsx';
import { DeliveryMark } from './delivery-mark.tsx';
import classes from './event-table.module.css';
import { actorOf, reasonOf, rowTime, targetOf } from './event-words.ts';
import type { Words } from './filter-words.ts';
import type { RowDelivery } from './row-delivery.ts';

/** One event as a sentence: time, what, who to whom, from where, how it ended, where it was sent. */
export const EventRow = memo(function EventRow(props: {
  id: string;
  index: number;
  /** Pixels below the first row. */
  top: number;
  height: number;
  /** undefined: on its way. */
  event: StoredEvent | undefined;
  isActive: boolean;
  isOpen: boolean;
  words: Words;
  now: number;
  /** null: nothing is forwarded; undefined: not known yet. */
  delivery: RowDelivery | null | undefined;
  /** The address of the event's drawer. A plain link: the router's own costs a millisecond each, and there are many. */
  href: string | undefined;
  onOpen: (click: MouseEvent<HTMLAnchorElement>) => void;
  onFocus: (index: number) => void;
}) {
  const { id, index, top, height, event, isActive, isOpen, words, now, delivery, href, onOpen, onFocus } = props;
  const style = { height, transform: `translateY(${top}px)` };
  if (!event)
    return (
      <tr aria-rowindex={index + 2} className={classes['row']} style={style}>
        <td className={classes['loading']}>
          <Skeleton height={12} width="70%" />
        </td>
      </tr>
    );
  const target = targetOf(event);
  const reason = reasonOf(event);
  return (
    <tr aria-rowindex={index + 2} data-open={isOpen || undefined} className={classes['row']} style={style}>
      <td className={classes['time']}>
        <time dateTime={event.timestamp} title={utc(event.timestamp)}>
          {rowTime(event.timestamp, now)}
        </time>
      </td>
      <td className={classes['what']}>
        <a
          id={id}
          className={classes['open']}
          href={href}
          data-event={event.id}
          tabIndex={isActive ? 0 : -1}
          onClick={onOpen}
          onFocus={() => onFocus(index)}
          title={event.eventType}
        >
          {words.types.get(event.eventType) ?? event.eventType}
        </a>
        {reason && <span className={classes['reason']}>{reason}</span>}
      </td>
      <td className={classes['who']}>
        <span title={event.actor?.name}>{actorOf(event)}</span>
        {target && target !== actorOf(event) && (
          <span className={classes['target']} title={event.target?.type}>
            <span aria-hidden> → </span>
            <span className={classes['spoken']}> to </span>
            {target}
          </span>
        )}
      </td>
      <td className={classes['where']} title={event.context.ipAddress}>
        {event.context.ipAddress ?? <span className={classes['quiet']}>–</span>}
      </td>
      <td className={classes['outcome']} data-status={event.status}>
        <span aria-hidden>{event.status === 'failure' ? '✕ ' : '✓'}</span>
        <span className={event.status === 'failure' ? classes['word'] : classes['spoken']}>{event.status}</span>
      </td>
      {delivery !== null && (
        <td className={classes['delivery']}>
          {delivery && <DeliveryMark delivery={delivery} receivedAt={event.receivedAt} now={now} />}
        </td>
      )}
    </tr>
  );
});
