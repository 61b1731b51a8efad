import type { Sequence, TeamId } from '../event/logged-event.ts';

/** The main thread's side of "there is more": the log worker notes each commit, readers on this thread wait for it. */
export function createTailSignal(): {
  note(team: TeamId, last: Sequence): void;
  /** Resolves when the team may have events after `after`, or when `signal` aborts. Only a hint. */
  waitForMore(team: TeamId, after: Sequence, signal: AbortSignal): Promise<void>;
} {
  const last = new Map<TeamId, Sequence>();
  const waiting = new Map<TeamId, Set<() => void>>();
  return {
    note: (team, sequence) => {
      last.set(team, sequence);
      const waiters = waiting.get(team);
      waiting.delete(team);
      for (const wake of waiters ?? []) wake();
    },
    waitForMore: (team, after, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || (last.get(team) ?? 0) > after) return resolve();
        const waiters = waiting.get(team) ?? new Set();
        waiting.set(team, waiters);
        const wake = (): void => {
          waiters.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiters.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      }),
  };
}
