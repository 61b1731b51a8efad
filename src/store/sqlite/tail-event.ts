import { isAscii } from 'node:buffer';
import {
  aroundSequence,
  HEAD_LENGTH,
  type LoggedEvent,
  type NewEvent,
  type Sequence,
  type TeamId,
  writeJson,
} from '../../event/logged-event.ts';
import type { PackedEvent } from '../../event/packed-events.ts';
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
    return isFreed(slab) ? this.#reread(slab).timestamp : slab.view.getFloat64(this.#start + TIMESTAMP, true);
  }

  get receivedAt(): number {
    const slab = this.#slab;
    return isFreed(slab) ? this.#reread(slab).receivedAt : slab.view.getFloat64(this.#start + RECEIVED_AT, true);
  }

  /** Of its content: see NewEvent. Empty when memory has let go of it: then its row is the place to ask. */
  get hash(): string {
    const slab = this.#slab;
    if (isFreed(slab)) return '';
    const end = this.#start + TIMESTAMP;
    return slab.bytes.toString('latin1', end - slab.view.getUint32(this.#start + HASH_LENGTH, true), end);
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

  /** Of the piece of memory that it lies in. */
  get slabNo(): number | undefined {
    return isFreed(this.#slab) ? undefined : this.#slab.no;
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

/** A piece of memory with events in it. */
class Slab {
  /** 1, 2, 3 … in the order in which they were begun. */
  readonly no: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Events in it that memory has not let go of, and one more while others may be added. */
  held = 1;
  readonly #free: Buffer[];

  constructor(no: number, bytes: Buffer, free: Buffer[]) {
    this.no = no;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#free = free;
  }

  letGo(): void {
    this.held -= 1;
    if (this.held > 0) return;
    if (this.bytes.length === SLAB_BYTES && this.#free.length < SLABS_KEPT) this.#free.push(this.bytes);
    else giveBack(this.bytes);
  }
}

/** Where an event's JSON lies, behind what else is kept of it. */
interface Lying {
  readonly slab: Slab;
  readonly start: number;
  readonly bytes: number;
}

/**
 * Memory for events, one after the other. A piece is used again when none of its events is held any more: left to the
 * garbage collector, it would count as garbage that lives long, and have the whole heap marked again and again.
 */
export class Slabs {
  readonly #free: Buffer[] = [];
  #slab = new Slab(0, Buffer.alloc(0), this.#free);
  #used = 0;
  /** What stands around the sequence in an event's JSON; most events of a commit have one time. */
  #around = { receivedAt: Number.NaN, before: Buffer.alloc(0), behind: Buffer.alloc(0) };

  /** How many pieces were begun after the one that the event lies in. */
  behind(event: TailEvent): number {
    return this.#slab.no - (event.slabNo ?? this.#slab.no);
  }

  /** Copies a new event, its place written into its JSON. */
  append(event: PackedEvent, sequence: Sequence, receivedAt: number): Lying {
    const { records, hashStart, jsonStart, jsonEnd, timestamp } = event;
    const { before, behind } = this.#placed(receivedAt);
    const digits = String(sequence);
    const placeLength = before.length + digits.length + behind.length;
    const lies = this.#lay(jsonStart - hashStart, { timestamp, receivedAt }, jsonEnd - jsonStart + placeLength);
    const { start } = lies;
    const { bytes } = lies.slab;
    copyFew(bytes, start + TIMESTAMP - (jsonStart - hashStart), records, hashStart, jsonStart);
    copyFew(bytes, start, records, jsonStart, jsonStart + HEAD_LENGTH);
    const sequenceStart = start + HEAD_LENGTH + before.length;
    copyFew(bytes, start + HEAD_LENGTH, before, 0, before.length);
    for (let i = 0; i < digits.length; i++) bytes[sequenceStart + i] = digits.charCodeAt(i);
    copyFew(bytes, sequenceStart + digits.length, behind, 0, behind.length);
    records.copy(bytes, start + HEAD_LENGTH + placeLength, jsonStart + HEAD_LENGTH, jsonEnd);
    return lies;
  }

  /** Copies an event whose JSON has its place already. */
  add({ hash, timestamp, json }: Pick<NewEvent, 'hash' | 'timestamp' | 'json'>, receivedAt: number): Lying {
    const lies = this.#lay(hash.length, { timestamp, receivedAt }, Buffer.byteLength(json));
    lies.slab.bytes.write(hash, lies.start + TIMESTAMP - hash.length, 'latin1');
    lies.slab.bytes.write(json, lies.start);
    return lies;
  }

  /** Makes room for an event, and writes the numbers before its JSON. */
  #lay(hashLength: number, { timestamp, receivedAt }: Pick<LoggedEvent, 'timestamp' | 'receivedAt'>, bytes: number) {
    const before = hashLength - TIMESTAMP;
    if (this.#used + before + bytes > this.#slab.bytes.length) {
      this.#slab.letGo();
      const length = Math.max(SLAB_BYTES, before + bytes);
      const free = length === SLAB_BYTES ? this.#free.pop() : undefined;
      this.#slab = new Slab(this.#slab.no + 1, free ?? Buffer.allocUnsafeSlow(length), this.#free);
      this.#used = 0;
    }
    const slab = this.#slab;
    slab.held += 1;
    const start = this.#used + before;
    this.#used = start + bytes;
    slab.view.setFloat64(start + TIMESTAMP, timestamp, true);
    slab.view.setFloat64(start + RECEIVED_AT, receivedAt, true);
    slab.view.setUint32(start + HASH_LENGTH, hashLength, true);
    return { slab, start, bytes };
  }

  #placed(receivedAt: number): { readonly before: Buffer; readonly behind: Buffer } {
    if (this.#around.receivedAt !== receivedAt) {
      const { before, behind } = aroundSequence(receivedAt);
      this.#around = { receivedAt, before: Buffer.from(before), behind: Buffer.from(behind) };
    }
    return this.#around;
  }
}

/** Byte by byte: for so few, a call out of JavaScript costs more. */
function copyFew(target: Buffer, at: number, source: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i++) target[at + i - start] = source[i]!;
}
