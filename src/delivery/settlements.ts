import type { Clock } from '../clock.ts';
import type { DestinationStore, Settlement } from '../store/destinations.ts';
import { StoreUnavailable } from '../store/event-log.ts';
import type { Logger } from '../telemetry/logger.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface SettlementDependencies {
  readonly store: Pick<DestinationStore, 'settle'>;
  readonly clock: Clock;
}

/**
 * A lane's settlements on their way to the store: each carries the whole progress, so none may overtake or survive an
 * earlier one. What is added while a transaction is under way goes into the next one together. A store that cannot write
 * is waited for: reading again from what is durable would send again what was delivered. Any other error fails these
 * settlements and all later ones.
 */
export class Settlements {
  /** Resolves when everything added so far is durable. */
  end: Promise<void> = Promise.resolve();
  /** How many are not durable yet. */
  waiting = 0;
  readonly #store: Pick<DestinationStore, 'settle'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  /** What goes into the next transaction. */
  #next: Settlement[] | null = null;

  /** `signal` ends the waiting for a store that cannot write. */
  constructor({ store, clock }: SettlementDependencies, logger: Logger, signal: AbortSignal) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#signal = signal;
  }

  /** Resolves when the settlement is durable. */
  add(settlement: Settlement): Promise<void> {
    this.waiting++;
    if (this.#next) this.#next.push(settlement);
    else {
      const together = [settlement];
      this.#next = together;
      this.end = this.end.then(() => {
        this.#next = null;
        return this.#settle(together);
      });
    }
    return this.end;
  }

  async #settle(settlements: readonly Settlement[]): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#store.settle(...settlements);
        this.waiting -= settlements.length;
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || this.#signal.aborted) throw error;
        this.#logger.warn({ err: error }, 'progress cannot be written; sending waits until it can');
      }
      await this.#clock.sleep(pauseMs, this.#signal);
    }
  }
}
