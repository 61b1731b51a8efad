import type { Clock } from '../../src/clock.ts';

interface Sleep {
  at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  #now: number;
  readonly #sleeps = new Set<Sleep>();

  constructor(now = Date.UTC(2026, 0, 15, 10, 30)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || ms <= 0) return resolve();
      const wake = (): void => {
        this.#sleeps.delete(sleep);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      // Whole milliseconds, as the system's clock has them.
      const sleep = { at: this.#now + Math.ceil(ms), wake };
      this.#sleeps.add(sleep);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** How many sleeps wait for the time to come. */
  get sleeping(): number {
    return this.#sleeps.size;
  }

  /** When the next sleep is due; null when nobody sleeps. */
  get nextDueAt(): number | null {
    return this.#sleeps.size > 0 ? Math.min(...[...this.#sleeps].map((sleep) => sleep.at)) : null;
  }

  /** Somebody sets the clock, forward or back: no time passes, so sleeps last as long as they would have. */
  set(now: number): void {
    for (const sleep of this.#sleeps) sleep.at += now - this.#now;
    this.#now = now;
  }

  /** Moves the time on. Sleeps due on the way end in their order, each at its own time, before later ones begin. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + Math.ceil(ms);
    for (let due = this.#nextDue(until); due; due = this.#nextDue(until)) {
      this.#now = due.at;
      due.wake();
      // Whoever woke may go to sleep again before `until`.
      await new Promise(setImmediate);
    }
    this.#now = until;
    await new Promise(setImmediate);
  }

  #nextDue(until: number): Sleep | undefined {
    return [...this.#sleeps].sort((a, b) => a.at - b.at).find((sleep) => sleep.at <= until);
  }
}
