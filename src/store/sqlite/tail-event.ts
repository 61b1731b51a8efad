import type { LoggedEvent, NewEvent, Sequence } from '../../event/logged-event.ts';

/** Events' JSON is copied into pieces of memory of this size; a large event gets one of its own. */
const SLAB_BYTES = 256 * 1024;

/**
 * An event in the log's tail. Its JSON lies outside of the heap until somebody asks for it: what lives for some seconds
 * and then is garbage would keep the collector busy more than all else.
 */
export class TailEvent implements LoggedEvent {
  readonly team: string;
  readonly sequence: Sequence;
  readonly id: string;
  readonly eventType: string;
  readonly eventCategory: string;
  readonly timestamp: number;
  readonly receivedAt: number;
  readonly bytes: number;
  /** Of its content: see NewEvent. */
  readonly hash: string;
  readonly #slab: Buffer;
  readonly #start: number;
  readonly #isAscii: boolean;

  constructor(
    event: Omit<NewEvent, 'json'>,
    place: { sequence: Sequence; receivedAt: number },
    json: string,
    slabs: Slabs,
  ) {
    this.team = event.team;
    this.sequence = place.sequence;
    this.id = event.id;
    this.eventType = event.eventType;
    this.eventCategory = event.eventCategory;
    this.timestamp = event.timestamp;
    this.receivedAt = place.receivedAt;
    this.hash = event.hash;
    this.bytes = Buffer.byteLength(json);
    this.#isAscii = this.bytes === json.length;
    const { slab, start } = slabs.add(json, this.bytes);
    this.#slab = slab;
    this.#start = start;
  }

  get json(): string {
    return this.#slab.toString(this.#isAscii ? 'latin1' : 'utf8', this.#start, this.#start + this.bytes);
  }

  /** Copies the JSON, as UTF-8. */
  copyTo(target: Buffer, at: number): void {
    this.#slab.copy(target, at, this.#start, this.#start + this.bytes);
  }
}

/** Memory for the JSON of events, one after the other; freed when none of a piece is referred to any more. */
export class Slabs {
  #slab = Buffer.alloc(0);
  #used = 0;

  add(json: string, bytes: number): { readonly slab: Buffer; readonly start: number } {
    if (this.#used + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += this.#slab.write(json, start, bytes, 'utf8');
    return { slab: this.#slab, start };
  }
}
