import { Text, Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { duration } from './words.ts';

/** 10:42:07 UTC, with its date where that is not today's, and how long ago; the full stamp, local too, on hover and focus. */
export function Time({ at, ago = true }: { at: string; ago?: boolean }) {
  const now = useNow();
  return (
    <Tooltip label={<FullTime at={at} />}>
      <Text span inherit tabIndex={0} component="time" dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {shortTime(at, now)}
        {ago && (
          <Text span inherit c="dimmed">
            {' '}
            {agoOf(at, now)}
          </Text>
        )}
      </Text>
    </Tooltip>
  );
}

function FullTime({ at }: { at: string }) {
  return (
    <>
      {utc(at)}
      <br />
      {local(at)}
    </>
  );
}

/** 2026-11-22 10:42:07.123 UTC */
export function utc(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 23)} UTC`;
}
export function local(at: string): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

export function shortTime(at: string, now: number): string {
  const isToday = at.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return `${isToday ? '' : `${at.slice(0, 10)} `}${at.slice(11, 19)} UTC`;
}

export function agoOf(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (seconds < -1) return `in ${duration(-seconds)}`;
  return seconds < 5 ? 'just now' : `${duration(seconds)} ago`;
}

/** The time, every 10 s: for words such as "3 min ago". One clock for all that show it. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
