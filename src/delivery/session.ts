import type { Logger } from '../telemetry/logger.ts';
import type { Bell } from './bell.ts';
import { type SettlementDependencies, Settlements } from './settlements.ts';

type Landing = () => Promise<void> | void;

/**
 * What a lane has under way from one opening to the next: sends, checks, the wait for the log, settlements. What comes
 * of it lands in the loop's turns; once the session is aborted nothing lands any more.
 */
export class Session {
  readonly settlements: Settlements;
  readonly #abort = new AbortController();
  readonly #bell: Bell;
  readonly #landed: Landing[] = [];
  readonly #work = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(deps: SettlementDependencies, logger: Logger, bell: Bell) {
    this.#bell = bell;
    this.settlements = new Settlements(deps, logger, this.#abort.signal);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Lands what the work comes to; a rejection fails the session. */
  track<T>(work: Promise<T>, land: (value: T) => Promise<void> | void): void {
    const tracked = work
      .then(
        (value) => this.#keep(() => land(value)),
        (error: unknown) => {
          this.#failure ??= { error };
        },
      )
      .then(() => {
        this.#work.delete(tracked);
        this.#bell.ring();
      });
    this.#work.add(tracked);
  }

  land(landing: Landing): void {
    this.#keep(landing);
    this.#bell.ring();
  }

  #keep(landing: Landing): void {
    if (!this.signal.aborted) this.#landed.push(landing);
  }

  /** Performs what has landed. Rejects when the session failed: what is in memory cannot be trusted any more. */
  async perform(): Promise<void> {
    for (let landing = this.#landed.shift(); landing; landing = this.#landed.shift()) await landing();
    if (this.#failure && !this.signal.aborted) throw this.#failure.error;
  }

  abort(): void {
    this.#abort.abort();
    this.#bell.ring();
  }

  /** Aborts, and resolves when all work has ended. */
  async end(): Promise<void> {
    this.abort();
    await Promise.all(this.#work);
  }
}
