/** Events that all lanes together aim to have in a batch each: in memory a lane has up to three batches. */
const EVENTS = 50_000;
/** Smaller batches would cost more than what they hold. */
const LEAST = 50;

/**
 * What each lane may have in memory: the more lanes hold events at the same moment, the smaller their batches. However
 * many destinations are behind, memory stays bounded, and none waits for another to let go of something.
 */
export class Shares {
  readonly #holders = new Set<object>();

  /** To be said whenever it may have changed. */
  note(lane: object, isHolding: boolean): void {
    if (isHolding) this.#holders.add(lane);
    else this.#holders.delete(lane);
  }

  /** How many events a batch may have at this moment. */
  get batchEvents(): number {
    return Math.max(LEAST, Math.floor(EVENTS / Math.max(1, this.#holders.size)));
  }
}
