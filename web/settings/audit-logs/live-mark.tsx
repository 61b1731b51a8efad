import { Button, Tooltip } from '@mantine/core';
import { shortTime } from '../../ui/time.tsx';
import type { Live } from './live.ts';
import classes from './live-mark.module.css';

/** Whether what is shown goes on by itself; stops and resumes it. */
export function LiveMark(props: {
  live: Live & { readonly isPaused: boolean };
  onPause: () => void;
  onResume: () => void;
}) {
  const { live, onPause, onResume } = props;
  const { mark, word, hint } = wordsOf(live);
  return (
    <Tooltip label={hint}>
      <Button
        size="compact-sm"
        variant="subtle"
        color="gray"
        onClick={live.isPaused ? onResume : onPause}
        aria-pressed={!live.isPaused}
        aria-label={`${word}. ${hint}`}
      >
        <span aria-hidden className={classes['mark']} data-state={live.isPaused ? 'paused' : live.state}>
          {mark}
        </span>
        {word}
      </Button>
    </Tooltip>
  );
}

function wordsOf({ isPaused, state, since }: Live & { readonly isPaused: boolean }) {
  if (isPaused) return { mark: '❚❚', word: 'Paused', hint: 'Resume with the newest events' };
  if (state === 'live') return { mark: '●', word: 'Live', hint: 'New events are announced as they come. Pause' };
  if (state === 'connecting') return { mark: '○', word: 'Connecting', hint: 'New events will be announced. Pause' };
  const lost = shortTime(new Date(since).toISOString(), since);
  return {
    mark: '↻',
    word: `Reconnecting since ${lost}`,
    hint: 'What arrives meanwhile is announced afterwards. Pause',
  };
}
