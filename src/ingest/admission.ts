/** A body that is being accepted. */
export interface Place {
  /** Does the work when the sender's other large bodies, which came before, are done with theirs. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  leave(): void;
}

/** Shares the memory and the time of ingest among senders, so that a flood costs only the one it comes from. */
export interface Admission {
  /** A place for a body of so many bytes, to be left again; null: there is too much of this sender, or of all. */
  enter(sender: string, bytes: number): Place | null;
}

/** What a body has at most that is not kept out by large ones and waits for none. */
const SMALL_BYTES = 64 * 1024;
/** Kept for small bodies, as a share of all. */
const RESERVE = 1 / 8;

/** At most `bytes` of bodies at once, and half of that of one sender. */
export function createAdmission(bytes: number): Admission {
  const senders = new Map<string, Sender>();
  let all = 0;
  return {
    enter(name, size) {
      const isSmall = size <= SMALL_BYTES;
      const sender = senders.get(name) ?? { bytes: 0, turn: Promise.resolve() };
      if (sender.bytes > 0 && sender.bytes + size > bytes / 2) return null;
      if (all > 0 && all + size > (isSmall ? bytes * (1 + RESERVE) : bytes)) return null;
      senders.set(name, sender);
      sender.bytes += size;
      all += size;
      return {
        inTurn(work) {
          if (isSmall) return work();
          const done = sender.turn.then(work);
          sender.turn = done.then(
            () => {},
            () => {},
          );
          return done;
        },
        leave() {
          all -= size;
          sender.bytes -= size;
          if (sender.bytes === 0) senders.delete(name);
        },
      };
    },
  };
}

interface Sender {
  /** Of the bodies being accepted. */
  bytes: number;
  /** Resolves when the turns given so far are over. */
  turn: Promise<void>;
}
