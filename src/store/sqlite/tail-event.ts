import { isAscii } from 'node:buffer';
import {
  HEAD_LENGTH,
  type LoggedEvent,
  type NewEvent,
  type Sequence,
  type TeamId,
  writeJson,
} from '../../event/logged-event.ts';

/** Events are copied into pieces of memory of this size; a large event gets one of its own. */
const SLAB_BYTES = 256 * 1024;
/** Before an event's JSON: its hash, its two times, and the length of the hash. */
const TIMESTAMP = -20;
const RECEIVED_AT = -12;
const HASH_LENGTH = -4;

/** Reads an event of its team's rows. */
export type Reread = (team: TeamId, sequence: Sequence) => LoggedEvent;

/**
 * An event in the log's tail. Most of it lies outside of the heap until somebody asks for it: what lives for some
 * seconds and then is garbage would keep the collector busy more than all else.
 */
export class TailEvent implements LoggedEvent {
  readonly team: string;
  readonly sequence: Sequence;
  readonly id: string;
  readonly eventType: string;
  readonly eventCategory: string;
  readonly bytes: number;
  /** Where it lies; what reads it once memory has let go of it. */
  #slab: Buffer | Reread;
  readonly #start: number;

  constructor(
    event: Pick<LoggedEvent, 'team' | 'sequence' | 'id' | 'eventType' | 'eventCategory'>,
    { slab, start, bytes }: Lying,
  ) {
    this.team = event.team;
    this.sequence = event.sequence;
    this.id = event.id;
    this.eventType = event.eventType;
    this.eventCategory = event.eventCategory;
    this.bytes = bytes;
    this.#slab = slab;
    this.#start = start;
  }

  get timestamp(): number {
    const slab = this.#slab;
    return isFreed(slab) ? this.#reread(slab).timestamp : slab.readDoubleLE(this.#start + TIMESTAMP);
  }

  get receivedAt(): number {
    const slab = this.#slab;
    return isFreed(slab) ? this.#reread(slab).receivedAt : slab.readDoubleLE(this.#start + RECEIVED_AT);
  }

  /** Of its content: see NewEvent. Empty when memory has let go of it: then its row is the place to ask. */
  get hash(): string {
    const slab = this.#slab;
    const end = this.#start + TIMESTAMP;
    return isFreed(slab) ? '' : slab.toString('latin1', end - slab.readUInt32LE(this.#start + HASH_LENGTH), end);
  }

  get json(): string {
    const slab = this.#slab;
    if (isFreed(slab)) return this.#reread(slab).json;
    const utf8 = slab.subarray(this.#start, this.#start + this.bytes);
    // Node decodes ASCII many times faster when it knows.
    return utf8.toString(isAscii(utf8) ? 'latin1' : 'utf8');
  }

  copyTo(target: Buffer, at: number): number {
    const slab = this.#slab;
    if (isFreed(slab)) return writeJson(this.#reread(slab), target, at);
    return slab.copy(target, at, this.#start, this.#start + this.bytes);
  }

  /** Frees its memory. Whoever holds the event still has all of it, read from its team's rows by `reread`. */
  letGo(reread: Reread): void {
    this.#slab = reread;
  }

  #reread(reread: Reread): LoggedEvent {
    return reread(this.team, this.sequence);
  }
}

function isFreed(slab: Buffer | Reread): slab is Reread {
  return typeof slab === 'function';
}

/** Where an event's JSON lies, behind what else is kept of it. */
interface Lying {
  readonly slab: Buffer;
  readonly start: number;
  readonly bytes: number;
}

/** Memory for events, one after the other; freed when none of a piece is referred to any more. */
export class Slabs {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** Copies an event, and writes its place into its JSON if it is not there yet. */
  add(event: Pick<NewEvent, 'hash' | 'timestamp' | 'json' | 'utf8'>, receivedAt: number, place = ''): Lying {
    const { hash, timestamp } = event;
    const from = event.utf8 ?? Buffer.from(event.json);
    const bytes = from.length + place.length;
    const before = hash.length - TIMESTAMP;
    if (this.#used + before + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, before + bytes));
      this.#used = 0;
    }
    const slab = this.#slab;
    const start = this.#used + before;
    this.#used = start + bytes;
    slab.write(hash, start - before, 'latin1');
    slab.writeDoubleLE(timestamp, start + TIMESTAMP);
    slab.writeDoubleLE(receivedAt, start + RECEIVED_AT);
    slab.writeUInt32LE(hash.length, start + HASH_LENGTH);
    const behind = start + HEAD_LENGTH;
    from.copy(slab, start, 0, HEAD_LENGTH);
    slab.write(place, behind, 'latin1');
    from.copy(slab, behind + place.length, HEAD_LENGTH);
    return { slab, start, bytes };
  }
}
