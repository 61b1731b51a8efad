import { isAscii } from 'node:buffer';
import {
  HEAD_LENGTH,
  type LoggedEvent,
  type NewEvent,
  type Sequence,
  type TeamId,
  writeJson,
} from '../../event/logged-event.ts';
import { giveBack } from '../../give-back.ts';

/** Events are copied into pieces of memory of this size; a large event gets one of its own. */
const SLAB_BYTES = 256 * 1024;
/** Free ones that are kept. */
const SLABS_KEPT = 16;
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
  #slab: Slab | Reread;
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
    return isFreed(slab) ? this.#reread(slab).timestamp : slab.bytes.readDoubleLE(this.#start + TIMESTAMP);
  }

  get receivedAt(): number {
    const slab = this.#slab;
    return isFreed(slab) ? this.#reread(slab).receivedAt : slab.bytes.readDoubleLE(this.#start + RECEIVED_AT);
  }

  /** Of its content: see NewEvent. Empty when memory has let go of it: then its row is the place to ask. */
  get hash(): string {
    const slab = this.#slab;
    const end = this.#start + TIMESTAMP;
    return isFreed(slab)
      ? ''
      : slab.bytes.toString('latin1', end - slab.bytes.readUInt32LE(this.#start + HASH_LENGTH), end);
  }

  get json(): string {
    const slab = this.#slab;
    if (isFreed(slab)) return this.#reread(slab).json;
    const utf8 = slab.bytes.subarray(this.#start, this.#start + this.bytes);
    // Node decodes ASCII many times faster when it knows.
    return utf8.toString(isAscii(utf8) ? 'latin1' : 'utf8');
  }

  copyTo(target: Buffer, at: number): number {
    const slab = this.#slab;
    if (isFreed(slab)) return writeJson(this.#reread(slab), target, at);
    return slab.bytes.copy(target, at, this.#start, this.#start + this.bytes);
  }

  /** Frees its memory. Whoever holds the event still has all of it, read from its team's rows by `reread`. */
  letGo(reread: Reread): void {
    if (isFreed(this.#slab)) return;
    this.#slab.letGo();
    this.#slab = reread;
  }

  #reread(reread: Reread): LoggedEvent {
    return reread(this.team, this.sequence);
  }
}

function isFreed(slab: Slab | Reread): slab is Reread {
  return typeof slab === 'function';
}

/** Where an event's JSON lies, behind what else is kept of it. */
interface Lying {
  readonly slab: Slab;
  readonly start: number;
  readonly bytes: number;
}

/** A piece of memory with events in it. */
class Slab {
  readonly bytes: Buffer;
  /** Events in it that memory has not let go of, and one more while others may be added. */
  held = 1;
  readonly #free: Buffer[];

  constructor(bytes: Buffer, free: Buffer[]) {
    this.bytes = bytes;
    this.#free = free;
  }

  letGo(): void {
    this.held -= 1;
    if (this.held > 0) return;
    if (this.bytes.length === SLAB_BYTES && this.#free.length < SLABS_KEPT) this.#free.push(this.bytes);
    else giveBack(this.bytes);
  }
}

/**
 * Memory for events, one after the other. A piece is used again when none of its events is held any more: left to the
 * garbage collector, it would count as garbage that lives long, and have the whole heap marked again and again.
 */
export class Slabs {
  readonly #free: Buffer[] = [];
  #slab = new Slab(Buffer.alloc(0), this.#free);
  #used = 0;

  /** Copies an event, and writes its place into its JSON if it is not there yet. */
  add(event: Pick<NewEvent, 'hash' | 'timestamp' | 'json' | 'utf8'>, receivedAt: number, place = ''): Lying {
    const { hash, timestamp } = event;
    const from = event.utf8 ?? Buffer.from(event.json);
    const bytes = from.length + place.length;
    const before = hash.length - TIMESTAMP;
    if (this.#used + before + bytes > this.#slab.bytes.length) {
      this.#slab.letGo();
      const length = Math.max(SLAB_BYTES, before + bytes);
      const free = length === SLAB_BYTES ? this.#free.pop() : undefined;
      this.#slab = new Slab(free ?? Buffer.allocUnsafeSlow(length), this.#free);
      this.#used = 0;
    }
    const slab = this.#slab;
    slab.held += 1;
    const start = this.#used + before;
    this.#used = start + bytes;
    slab.bytes.write(hash, start - before, 'latin1');
    slab.bytes.writeDoubleLE(timestamp, start + TIMESTAMP);
    slab.bytes.writeDoubleLE(receivedAt, start + RECEIVED_AT);
    slab.bytes.writeUInt32LE(hash.length, start + HASH_LENGTH);
    const behind = start + HEAD_LENGTH;
    from.copy(slab.bytes, start, 0, HEAD_LENGTH);
    slab.bytes.write(place, behind, 'latin1');
    from.copy(slab.bytes, behind + place.length, HEAD_LENGTH);
    return { slab, start, bytes };
  }
}
