/** Work that waits for a transaction. */
export interface WaitingWork {
  /** Whose it is; one sender's work is done in the order in which it came. */
  readonly sender: string;
  /** JSON it appends, about. */
  readonly length: number;
}

/**
 * JSON one transaction takes at most, some ten milliseconds: a full queue shall not become one long commit, which keeps
 * everything else of the thread waiting. A call with more gets a transaction of its own.
 */
const GROUP_LENGTH = 1024 * 1024;

/**
 * What waits for the writer, put into transactions by turns: each sender's next call, then each one's second, and so on.
 * Whoever sends much waits behind themself; others wait for the transaction under way and perhaps one more.
 */
export class Turns<Work extends WaitingWork> {
  /** By sender; whoever had a turn last is last. */
  readonly #waiting = new Map<string, Work[]>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(work: Work): void {
    const own = this.#waiting.get(work.sender);
    if (own) own.push(work);
    else this.#waiting.set(work.sender, [work]);
  }

  /** The work of the next transaction; empty when nothing waits. */
  take(): Work[] {
    const group: Work[] = [];
    let length = 0;
    const fits = (work: Work): boolean => Math.min(work.length, length) === 0 || length + work.length <= GROUP_LENGTH;
    for (let senders = [...this.#waiting.keys()]; senders.length > 0; ) {
      senders = senders.filter((sender) => {
        const own = this.#waiting.get(sender);
        const work = own?.[0];
        if (!own || !work || !fits(work)) return false;
        group.push(work);
        length += work.length;
        own.shift();
        this.#waiting.delete(sender);
        if (own.length > 0) this.#waiting.set(sender, own);
        return own.length > 0;
      });
    }
    return group;
  }
}
