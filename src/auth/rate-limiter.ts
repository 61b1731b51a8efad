import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

/** How many are allowed in how many seconds, counted from the first. */
export interface Rule {
  readonly window: number;
  readonly max: number;
}

export interface RateLimiter {
  /** Counts one; whether it is allowed, and if not, after how many seconds the next one is. */
  take(key: string, rule: Rule): { readonly allowed: boolean; readonly retryAfter: number | null };
  /** Seconds until `take` would be allowed; 0: it is. Counts nothing. */
  wait(key: string, rule: Rule): number;
  /** Starts counting anew. */
  forget(key: string): void;
}

/**
 * Counts in memory, in windows of fixed length. Not in a database: each attempt would cost a synced write, which is the
 * very load it is to keep away; a restart forgives some attempts, no more. Bounded: the longest unused are forgotten.
 */
export function createRateLimiter(clock: Pick<Clock, 'now'>): RateLimiter {
  const windows = new LRUCache<string, { count: number; readonly endsAt: number }>({ max: 20_000 });
  const remaining = (window: { readonly endsAt: number }) => Math.ceil((window.endsAt - clock.now()) / 1000);
  return {
    take: (key, { window, max }) => {
      const now = clock.now();
      const open = windows.get(key);
      if (!open || open.endsAt <= now) {
        windows.set(key, { count: 1, endsAt: now + window * 1000 });
        return { allowed: true, retryAfter: null };
      }
      open.count += 1;
      return open.count <= max ? { allowed: true, retryAfter: null } : { allowed: false, retryAfter: remaining(open) };
    },
    wait: (key, { max }) => {
      const open = windows.get(key);
      return open && open.count >= max ? Math.max(remaining(open), 0) : 0;
    },
    forget: (key) => void windows.delete(key),
  };
}
