import { Button, Text } from '@mantine/core';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { count } from '../../ui/words.ts';
import { useAddress } from './address.ts';
import classes from './end-of-list.module.css';
import { timesOf } from './filter.ts';
import { moment } from './filter-words.ts';

/** What stands under the last row: that it is the last, or how to go on. */
export function EndOfList(props: {
  rows: number;
  isComplete: boolean;
  isCapped: boolean;
  lastShown: StoredEvent | undefined;
}) {
  const { rows, isComplete, isCapped, lastShown } = props;
  const { filter, setFilter } = useAddress();
  if (isComplete && !isCapped)
    return (
      <Text size="xs" c="dimmed" className={classes['end']!}>
        {rows === 1 ? 'This is the only event' : `These are all ${count(rows)} events`} of the filter.
      </Text>
    );
  if (!isCapped || !lastShown) return null;
  const before = new Date(Date.parse(lastShown.timestamp) + 1).toISOString();
  const goOn = () => {
    const { from } = timesOf(filter.range, Date.now());
    setFilter({ ...filter, range: { ...(from !== undefined && { from }), to: before } });
    globalThis.scrollTo({ top: 0 });
  };
  return (
    <div className={classes['end']}>
      <Button variant="default" onClick={goOn}>
        Go on before {moment(before)} UTC
      </Button>
    </div>
  );
}
