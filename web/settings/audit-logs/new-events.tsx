import { Button } from '@mantine/core';
import { count } from '../../ui/words.ts';
import classes from './new-events.module.css';

/** What arrived since, behind a button: nothing moves under the reader's eyes. */
export function NewEvents({ count: n, onShow }: { count: number; onShow: () => void }) {
  return (
    <div className={classes['place']} role="status">
      {n > 0 && (
        <Button size="compact-sm" radius="xl" className={classes['button']!} onClick={onShow}>
          {count(n, 'new event')} <span aria-hidden>&nbsp;↑</span>
        </Button>
      )}
    </div>
  );
}
