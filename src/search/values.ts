import { randomInt } from 'node:crypto';
import { giveBack, resized } from '../give-back.ts';

const LEAST_BYTES = 4096;
/** Room for twice the values of a segment built from the log. */
const LEAST_SLOTS = 16_384;
/** What is kept for the next use; more is let go of. */
const KEPT_BYTES = 256 * 1024;
const KEPT_SLOTS = 65_536;

/** Bytes, one text behind the other, in memory that grows and is used again. */
export class Bytes {
  buffer = Buffer.allocUnsafeSlow(LEAST_BYTES);
  length = 0;

  /** Makes room for so many more. */
  reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    this.buffer = resized(this.buffer, Math.max(2 * this.buffer.length, this.length + more));
  }

  clear(): void {
    if (this.buffer.length > KEPT_BYTES) {
      giveBack(this.buffer);
      this.buffer = Buffer.allocUnsafeSlow(LEAST_BYTES);
    }
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
  count = 0;
  /** Each between two NULs. */
  readonly #known = new Bytes();
  /** By number: where the next text begins. */
  #ends = new Uint32Array(LEAST_SLOTS / 2 + 1);
  /** Open addressing: the number of a text, or 0. */
  #slots = new Uint32Array(LEAST_SLOTS);

  constructor() {
    this.clear();
  }

  /** All of them, each between two NULs. Valid until the next call. */
  text(): Buffer {
    return this.#known.buffer.subarray(0, this.#known.length);
  }

  /** The number of the text that lies from `start` to `end`: greater than `count` was where it is new. */
  numberOf(source: Buffer, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(source, start, end) & mask;
    for (let number = this.#slots[slot]!; number !== 0; number = this.#slots[slot]!) {
      if (this.#is(number, source, start, end)) return number;
      slot = (slot + 1) & mask;
    }
    this.#known.reserve(end - start + 1);
    const { buffer } = this.#known;
    let at = this.#known.length;
    for (let from = start; from < end; from++) buffer[at++] = source[from]!;
    buffer[at++] = 0;
    this.#known.length = at;
    this.#slots[slot] = ++this.count;
    this.#ends[this.count] = at;
    if (2 * this.count === this.#slots.length) this.#grow();
    return this.count;
  }

  clear(): void {
    this.#known.clear();
    this.#known.buffer[this.#known.length++] = 0;
    if (this.#slots.length > KEPT_SLOTS) this.#slots = new Uint32Array(LEAST_SLOTS);
    else this.#slots.fill(0);
    if (this.#ends.length > KEPT_SLOTS) this.#ends = new Uint32Array(LEAST_SLOTS / 2 + 1);
    this.#ends[0] = this.#known.length;
    this.count = 0;
  }

  #grow(): void {
    const ends = new Uint32Array(this.#slots.length + 1);
    ends.set(this.#ends);
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 1; number <= this.count; number++) {
      let slot = hashOf(this.#known.buffer, ends[number - 1]!, ends[number]! - 1) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    giveBack(this.#ends);
    giveBack(this.#slots);
    this.#ends = ends;
    this.#slots = slots;
  }

  #is(number: number, source: Buffer, start: number, end: number): boolean {
    const { buffer } = this.#known;
    const from = this.#ends[number - 1]!;
    if (this.#ends[number]! - 1 - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (buffer[from + i] !== source[start + i]) return false;
    return true;
  }
}

/** FNV-1a, its upper bits folded in. */
function hashOf(source: Buffer, start: number, end: number): number {
  let hash = SEED;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ source[at]!, 0x0100_0193);
  return hash ^ (hash >>> 15);
}
