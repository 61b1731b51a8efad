import { useUnhealthy } from './queries.ts';

/** How many destinations need somebody to act, for the navigation. */
export function useAttention(): number {
  return useUnhealthy().standings.length;
}
