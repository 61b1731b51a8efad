import { isAscii } from 'node:buffer';
import { HEAD_LENGTH, type LoggedEvent, type NewEvent, type Sequence } from '../../event/logged-event.ts';

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

  constructor(event: Omit<NewEvent, 'json'>, place: { sequence: Sequence; receivedAt: number }, json: Lying) {
    this.team = event.team;
    this.sequence = place.sequence;
    this.id = event.id;
    this.eventType = event.eventType;
    this.eventCategory = event.eventCategory;
    this.timestamp = event.timestamp;
    this.receivedAt = place.receivedAt;
    this.hash = event.hash;
    this.bytes = json.bytes;
    this.#slab = json.slab;
    this.#start = json.start;
  }

  get json(): string {
    const utf8 = this.#slab.subarray(this.#start, this.#start + this.bytes);
    // Node decodes ASCII many times faster when it knows.
    return utf8.toString(isAscii(utf8) ? 'latin1' : 'utf8');
  }

  copyTo(target: Buffer, at: number): void {
    this.#slab.copy(target, at, this.#start, this.#start + this.bytes);
  }
}

/** Where an event's JSON lies. */
interface Lying {
  readonly slab: Buffer;
  readonly start: number;
  readonly bytes: number;
}

/** Memory for the JSON of events, one after the other; freed when none of a piece is referred to any more. */
export class Slabs {
  #slab = Buffer.alloc(0);
  #used = 0;

  /** Copies an event's JSON, and writes its place into it if it is not there yet. */
  add({ utf8, json }: Pick<NewEvent, 'utf8' | 'json'>, place = ''): Lying {
    const from = utf8 ?? Buffer.from(json);
    const bytes = from.length + place.length;
    if (this.#used + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
      this.#used = 0;
    }
    const [slab, start] = [this.#slab, this.#used];
    const behind = start + HEAD_LENGTH;
    from.copy(slab, start, 0, HEAD_LENGTH);
    slab.write(place, behind, 'latin1');
    from.copy(slab, behind + place.length, HEAD_LENGTH);
    this.#used += bytes;
    return { slab, start, bytes };
  }
}
