import type { Clock } from '../clock.ts';

/** A reason of its own costs nothing; the default one is an error with its stack, made at every wait. */
const AWAKE = 'awake';

/** Wakes a loop. Rung while the loop is busy, it lets the next wait return at once: no ring is lost. */
export class Bell {
  readonly #clock: Clock;
  #isRung = false;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  /** Resolves when the bell rings, or at `until` (milliseconds since the epoch). */
  async wait(until: number | null): Promise<void> {
    if (!this.#isRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      if (until === null) await promise;
      else {
        const nap = new AbortController();
        await Promise.race([promise, this.#clock.sleep(until - this.#clock.now(), nap.signal)]);
        nap.abort(AWAKE);
      }
    }
    this.#isRung = false;
  }
}
