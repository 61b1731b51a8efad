import { Button, Text } from '@mantine/core';
import { count } from '../../ui/words.ts';
import type { Live } from './live.ts';
import { LiveMark } from './live-mark.tsx';
import classes from './summary-row.module.css';

/** How many events there are, whether more are announced, and those that came: behind a button, so that nothing moves. */
export function SummaryRow(props: {
  /** undefined: not counted yet. */
  counted: { readonly success: number; readonly failure: number } | undefined;
  arrived: number;
  /** null: the range ends before now. */
  live: (Live & { readonly isPaused: boolean }) | null;
  onNewest: () => void;
  onPause: () => void;
}) {
  const { counted, arrived, live, onNewest, onPause } = props;
  return (
    <div className={classes['row']}>
      <Text size="sm" component="p" truncate>
        {counted ? <b>{count(counted.success + counted.failure, 'event')}</b> : <span>Counting …</span>}
        {counted && counted.failure > 0 && (
          <span className={classes['failures']}> · {count(counted.failure, 'failure')}</span>
        )}
      </Text>
      <div role="status" className={classes['news']}>
        {arrived > 0 && (
          <Button size="compact-sm" radius="xl" onClick={onNewest}>
            <span>
              {count(arrived)} new <span className={classes['wide']}>{arrived === 1 ? 'event ' : 'events '}</span>
              <span aria-hidden>↑</span>
            </span>
          </Button>
        )}
      </div>
      {live && <LiveMark live={live} onPause={onPause} onResume={onNewest} />}
    </div>
  );
}
