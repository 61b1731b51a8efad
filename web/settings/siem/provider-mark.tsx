import { Box } from '@mantine/core';
import classes from './provider-mark.module.css';

/** A SIEM's initials in a square: no trademark of anybody. */
export function ProviderMark({ kind, size = 36 }: { kind: string; size?: number }) {
  return (
    <Box className={classes['mark']!} w={size} h={size} fz={size * 0.38} aria-hidden>
      {kind.slice(0, 1).toUpperCase()}
      {kind.slice(1, 2)}
    </Box>
  );
}
