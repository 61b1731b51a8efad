import { randomInt } from 'node:crypto';

const LEAST_BYTES = 4096;
/** What is kept for the next use; more is let go of. */
const KEPT_BYTES = 256 * 1024;

/** Bytes, one text behind the other, in memory that grows and is used again. */
export class Bytes {
  buffer = Buffer.allocUnsafeSlow(LEAST_BYTES);
  length = 0;

  /** Makes room for so many more. */
  reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.buffer.length, this.length + more));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  clear(): void {
    if (this.buffer.length > KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(LEAST_BYTES);
    this.length = 0;
  }
}

/** Against texts chosen to fall on one slot. */
const SEED = randomInt(2 ** 32);

/**
 * Distinct texts in UTF-8, numbered 1, 2, 3 … in the order in which they were met first. Of most texts no string is ever
 * made: a string per field and event would cost more than all else that an index does.
 */
export class Values {
  readonly #known = new Bytes();
  /** By number: where the text ends. It begins where the one before ends. */
  readonly #ends: Uint32Array;
  /** Open addressing: the number of a text, or 0. */
  readonly #slots: Uint16Array;
  count = 0;

  /** `most`: distinct texts, at most 65,535. */
  constructor(most: number) {
    this.#ends = new Uint32Array(most + 1);
    this.#slots = new Uint16Array(2 ** Math.ceil(Math.log2(2 * most)));
  }

  /** The number of the text that lies from `start` to `end`: greater than `count` was where it is new. */
  numberOf(source: Buffer, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let hash = SEED;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ source[at]!, 0x0100_0193);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let number = this.#slots[slot]!; number !== 0; number = this.#slots[slot]!) {
      if (this.#is(number, source, start, end)) return number;
      slot = (slot + 1) & mask;
    }
    this.#known.reserve(end - start);
    for (let at = start; at < end; at++) this.#known.buffer[this.#known.length++] = source[at]!;
    this.#slots[slot] = ++this.count;
    this.#ends[this.count] = this.#known.length;
    return this.count;
  }

  clear(): void {
    this.#known.clear();
    this.#slots.fill(0);
    this.count = 0;
  }

  #is(number: number, source: Buffer, start: number, end: number): boolean {
    const { buffer } = this.#known;
    const from = this.#ends[number - 1]!;
    if (this.#ends[number]! - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (buffer[from + i] !== source[start + i]) return false;
    return true;
  }
}
