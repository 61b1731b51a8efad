import type { Sequence, TeamId } from '../event/logged-event.ts';

interface Waiter {
  readonly after: Sequence;
  readonly wake: () => void;
}

/** "There is more" within one thread: whoever learns of a commit notes it, readers that have all so far wait for it. */
export interface TailSignal {
  /** The team's log ends at `last` now. */
  note(team: TeamId, last: Sequence): void;
  /** Resolves when events after `after` are noted, or when `signal` aborts. Only a hint. */
  waitForMore(team: TeamId, after: Sequence, signal: AbortSignal): Promise<void>;
  /** Lets everybody go. */
  close(): void;
}

export function createTailSignal(): TailSignal {
  const noted = new Map<TeamId, Sequence>();
  const waiting = new Map<TeamId, Set<Waiter>>();
  return {
    note: (team, last) => {
      noted.set(team, last);
      for (const waiter of waiting.get(team) ?? []) if (last > waiter.after) waiter.wake();
    },
    waitForMore: (team, after, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || (noted.get(team) ?? 0) > after) return resolve();
        const waiters = waiting.get(team) ?? new Set();
        waiting.set(team, waiters);
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          waiters.delete(waiter);
          if (waiters.size === 0) waiting.delete(team);
          resolve();
        };
        const waiter = { after, wake };
        waiters.add(waiter);
        signal.addEventListener('abort', wake, { once: true });
      }),
    close: () => {
      for (const waiters of waiting.values()) for (const { wake } of waiters) wake();
    },
  };
}
