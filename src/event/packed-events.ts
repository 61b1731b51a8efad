import { resized } from '../give-back.ts';
import type { SealedBytes } from './as-sealed.ts';
import type { NewEvent, NewEvents, TeamId } from './logged-event.ts';

/**
 * Events on their way to another thread, most of them as one piece of memory. A structured clone of as many objects would
 * write and read each field's name for each event; and objects that wait for a commit outlive the young generation.
 */
export interface Packed {
  readonly length: number;
  /** Teams, event types and categories, each once; first of all the first event's team. */
  readonly names: readonly string[];
  /** A line per event. */
  readonly ids: string;
  /** A record per event, one behind the other. */
  readonly records: Uint8Array;
}

/**
 * Where a record has its little-endian numbers: how many bytes of JSON and hash, which of the names, when. Behind them come
 * the hash in Latin-1 and the JSON in UTF-8.
 */
const [JSON_LENGTH, HASH_LENGTH, TEAM, EVENT_TYPE, EVENT_CATEGORY, TIMESTAMP, HASH] = [
  0, 4, 8, 12, 16, 20, 28,
] as const;

/** What a UTF-16 code unit has at most in UTF-8. */
const UNIT_BYTES = 3;
const LEAST_CAPACITY = 512;

/** Packs each event when it is added, and keeps nothing else of it. */
export class EventPacker {
  readonly #names = new Map<string, number>();
  readonly #ids: string[] = [];
  #capacity: number;
  #records = Buffer.alloc(0);
  #view = viewOf(this.#records);
  #used = 0;

  /** `bytes`: of JSON that is to come, about. */
  constructor(bytes: number) {
    this.#capacity = Math.max(LEAST_CAPACITY, Math.ceil(bytes));
  }

  /** Returns where the team is among the names. */
  add(event: NewEvent): number {
    const { json } = event;
    const jsonStart = this.#used + HASH + event.hash.length;
    if (jsonStart + json.length * UNIT_BYTES > this.#records.length) this.#fit(jsonStart + Buffer.byteLength(json));
    return this.#put(event, jsonStart, this.#records.write(json, jsonStart));
  }

  /** `bytes`: in which the event was read. Returns where the team is among the names. */
  addSealed(event: SealedBytes, bytes: Buffer): number {
    const { begin, end } = event;
    const jsonStart = this.#used + HASH + event.hash.length;
    this.#fit(jsonStart + end - begin);
    return this.#put(event, jsonStart, bytes.copy(this.#records, jsonStart, begin, end));
  }

  /** Writes what stands before the JSON. */
  #put(event: Omit<NewEvent, 'json'>, jsonStart: number, jsonLength: number): number {
    const { team, id, eventType, eventCategory, timestamp, hash } = event;
    const start = this.#used;
    for (let i = 0; i < hash.length; i++) this.#records[start + HASH + i] = hash.charCodeAt(i);
    const view = this.#view;
    view.setUint32(start + JSON_LENGTH, jsonLength, true);
    view.setUint32(start + HASH_LENGTH, hash.length, true);
    const teamPlace = this.#place(team);
    view.setUint32(start + TEAM, teamPlace, true);
    view.setUint32(start + EVENT_TYPE, this.#place(eventType), true);
    view.setUint32(start + EVENT_CATEGORY, this.#place(eventCategory), true);
    view.setFloat64(start + TIMESTAMP, timestamp, true);
    this.#ids.push(id);
    this.#used = jsonStart + jsonLength;
    return teamPlace;
  }

  /** All that was added; nothing may be added any more. */
  finish(): PackedEvents {
    // The whole of a buffer's memory is sent, also what is not used.
    if (this.#used < this.#records.length / 2) this.#resize(this.#used);
    return new PackedEvents({
      length: this.#ids.length,
      names: [...this.#names.keys()],
      ids: this.#ids.join('\n'),
      records: this.#records.subarray(0, this.#used),
    });
  }

  /** Where the name is among those that differ. */
  #place(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, this.#names.size);
    return this.#names.size - 1;
  }

  #fit(bytes: number): void {
    if (bytes <= this.#records.length) return;
    while (this.#capacity < bytes) this.#capacity *= 2;
    this.#resize(this.#capacity);
  }

  /** What was there before is given back at once. */
  #resize(bytes: number): void {
    // Not from Node's pool, the whole of which would be sent.
    if (this.#used === 0) this.#records = Buffer.allocUnsafeSlow(bytes);
    else this.#records = resized(this.#records, bytes);
    this.#view = viewOf(this.#records);
  }
}

export class PackedEvents implements NewEvents {
  readonly packed: Packed;

  constructor(packed: Packed) {
    this.packed = packed;
  }

  static of(events: NewEvents): PackedEvents {
    if (events instanceof PackedEvents) return events;
    const packer = new EventPacker(LEAST_CAPACITY);
    for (const event of events) packer.add(event);
    return packer.finish();
  }

  get length(): number {
    return this.packed.length;
  }

  /** The team of the first event; there must be one. */
  get firstTeam(): TeamId {
    return this.packed.names[0]!;
  }

  /** Of all events' JSON, about. */
  get bytes(): number {
    return this.packed.records.length;
  }

  /** Before the first event. */
  cursor(): PackedEvent {
    return new PackedEvent(this.packed);
  }

  /** Makes each event when it is asked for. */
  *[Symbol.iterator](): Generator<NewEvent> {
    for (const event = this.cursor(); event.next(); ) {
      const { team, id, eventType, eventCategory, timestamp, hash, records, jsonStart, jsonEnd } = event;
      const json = records.toString('utf8', jsonStart, jsonEnd);
      yield { team, id, eventType, eventCategory, timestamp, hash, json };
    }
  }
}

/** One packed event after the other, read where it lies. */
export class PackedEvent {
  readonly records: Buffer;
  /** Where the event's hash lies, up to `jsonStart`. */
  hashStart = 0;
  jsonStart = 0;
  jsonEnd = 0;
  readonly #names: readonly string[];
  readonly #ids: readonly string[];
  readonly #view: DataView;
  #index = -1;
  #start = 0;

  constructor({ names, ids, records }: Packed) {
    this.records = Buffer.from(records.buffer, records.byteOffset, records.length);
    this.#names = names;
    this.#ids = ids.split('\n');
    this.#view = viewOf(records);
  }

  /** Goes on to the next event; false: there is none. */
  next(): boolean {
    if (this.jsonEnd === this.records.length) return false;
    this.#index += 1;
    this.#start = this.jsonEnd;
    this.hashStart = this.#start + HASH;
    this.jsonStart = this.hashStart + this.#number(HASH_LENGTH);
    this.jsonEnd = this.jsonStart + this.#number(JSON_LENGTH);
    return true;
  }

  get team(): TeamId {
    return this.#names[this.#number(TEAM)]!;
  }

  get id(): string {
    return this.#ids[this.#index]!;
  }

  get eventType(): string {
    return this.#names[this.#number(EVENT_TYPE)]!;
  }

  get eventCategory(): string {
    return this.#names[this.#number(EVENT_CATEGORY)]!;
  }

  get timestamp(): number {
    return this.#view.getFloat64(this.#start + TIMESTAMP, true);
  }

  get hash(): string {
    return this.records.toString('latin1', this.hashStart, this.jsonStart);
  }

  #number(at: number): number {
    return this.#view.getUint32(this.#start + at, true);
  }
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
