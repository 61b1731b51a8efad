/** Does pieces of work, so many at once; others wait in the order in which they came. */
export type AtMost = <T>(work: () => Promise<T>) => Promise<T>;

export function atMost(most: number): AtMost {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < most) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
