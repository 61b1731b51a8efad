import { Skeleton } from '@mantine/core';
import classes from './event-table.module.css';

const WIDTHS = [62, 48, 71, 55, 66, 44, 58, 69, 51, 63, 47, 60];

/** Rows that are still coming, in their shape. */
export function SkeletonRows() {
  return (
    <div aria-label="Loading events" role="status" className={classes['waiting']}>
      {WIDTHS.map((width) => (
        <div key={width} className={classes['pending']}>
          <Skeleton height={12} width={64} />
          <Skeleton height={12} width={`${width}%`} />
        </div>
      ))}
    </div>
  );
}
