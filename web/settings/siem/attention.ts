/** How many destinations need somebody to act, for the navigation. */
export function useAttention(): number {
  return 0;
}
