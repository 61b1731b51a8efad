import { isAscii } from 'node:buffer';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { type LoggedEvent, type Sequence, type TeamId, writeJson } from '../../event/logged-event.ts';
import { giveBack } from '../../give-back.ts';

/** Bodies of fewer events are kept as text: until rows are merged, a call of zstd for each costs more than it saves. */
export const COMPRESSED_EVENTS = 32;
/** Output comes in pieces of chunkSize: about one for a full row. */
const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 32 * 1024 };
const WHOLE = { chunkSize: 256 * 1024 };
/** Texts of rows that a reader keeps unpacked, in bytes. */
const TEXTS_BYTES = 6 * 1024 * 1024;
const NEWLINE = 10;

/** What is known of the events without parsing their JSON: one column per value, one entry per event. */
export interface Directory {
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly categories: readonly string[];
  readonly timestamps: readonly number[];
  readonly receivedAts: readonly number[];
  /** UTF-8 lengths of the events' JSON. */
  readonly bytes: readonly number[];
}

/** Which of a row's events: `count` from the place `from` on, consecutive ones of one team from the sequence `first`. */
interface Part {
  readonly team: TeamId;
  readonly first: Sequence;
  readonly from: number;
  readonly count: number;
}

/** Unpacked rows: the least recently used are let go of, and unpacked again when they are asked for. */
export type Texts = LRUCache<Row<Directory>, Text>;

interface Text {
  readonly utf8: Buffer;
  readonly isAscii: boolean;
}

export function directoryOf(events: readonly LoggedEvent[]): Directory {
  return {
    ids: events.map((event) => event.id),
    types: events.map((event) => event.eventType),
    categories: events.map((event) => event.eventCategory),
    timestamps: events.map((event) => event.timestamp),
    receivedAts: events.map((event) => event.receivedAt),
    bytes: events.map((event) => event.bytes),
  };
}

/** A row's body: its head as one line of JSON, then each event's JSON as one line; zstd when it pays. */
export function pack(head: Directory, events: readonly LoggedEvent[]): string | Uint8Array {
  const text = JSON.stringify(head);
  if (events.length < COMPRESSED_EVENTS) return `${text}\n${events.map((event) => event.json).join('\n')}`;
  let at = Buffer.byteLength(text);
  const plain = Buffer.allocUnsafeSlow(events.reduce((sum, event) => sum + 1 + event.bytes, at));
  plain.write(text);
  for (const event of events) {
    plain[at++] = NEWLINE;
    at += writeJson(event, plain, at);
  }
  const body = zstdCompressSync(plain, FASTEST);
  giveBack(plain);
  return body;
}

export function createTexts(): Texts {
  return new LRUCache({
    maxSize: TEXTS_BYTES,
    sizeCalculation: ({ utf8 }) => utf8.buffer.byteLength,
    dispose: ({ utf8 }) => giveBack(utf8),
  });
}

/**
 * A row of events as the database has it, packed. Its events are read from its text, which is kept only as long as
 * `texts` has room: hundreds of readers may hold some events each, and none their JSON.
 */
export class Row<Head extends Directory> {
  readonly head: Head;
  readonly count: number;
  readonly #body: Uint8Array;
  readonly #isPacked: boolean;
  readonly #texts: Texts;
  /** Where each event's JSON begins in the text. */
  readonly #starts: readonly number[];

  /** Throws when the body is not one that `pack` makes. */
  constructor(body: string | Uint8Array, texts: Texts) {
    this.#isPacked = typeof body !== 'string';
    this.#body = typeof body === 'string' ? Buffer.from(body) : body;
    this.#texts = texts;
    const { utf8 } = this.#text();
    let at = utf8.indexOf(NEWLINE);
    if (at === -1) at = utf8.length;
    this.head = JSON.parse(utf8.toString('utf8', 0, at)) as Head;
    this.#starts = this.head.bytes.map((bytes) => {
      if (utf8[at] !== NEWLINE) throw new Error('an event does not begin where it should');
      const start = at + 1;
      at = start + bytes;
      return start;
    });
    if (at !== utf8.length) throw new Error('the events do not end where they should');
    this.count = this.#starts.length;
  }

  events({ team, first, from, count }: Part): readonly LoggedEvent[] {
    return Array.from({ length: count }, (_, i) => new RowEvent(this, team, first + i, from + i));
  }

  json(i: number): string {
    const { utf8, isAscii: isPlain } = this.#text();
    const start = this.#starts[i]!;
    return utf8.toString(isPlain ? 'latin1' : 'utf8', start, start + this.head.bytes[i]!);
  }

  copy(i: number, target: Buffer, at: number): number {
    const start = this.#starts[i]!;
    return this.#text().utf8.copy(target, at, start, start + this.head.bytes[i]!);
  }

  /** Not to be held on to: the next call may take its memory back. */
  #text(): Text {
    const known = this.#texts.get(this);
    if (known) return known;
    const utf8 = this.#isPacked ? zstdDecompressSync(this.#body, WHOLE) : Buffer.from(this.#body);
    const text = { utf8, isAscii: isAscii(utf8) };
    this.#texts.set(this, text);
    return text;
  }
}

/** An event of a row that was read. */
class RowEvent implements LoggedEvent {
  readonly team: TeamId;
  readonly sequence: Sequence;
  readonly bytes: number;
  readonly #row: Row<Directory>;
  readonly #place: number;

  constructor(row: Row<Directory>, team: TeamId, sequence: Sequence, place: number) {
    this.team = team;
    this.sequence = sequence;
    this.bytes = row.head.bytes[place]!;
    this.#row = row;
    this.#place = place;
  }

  get id(): string {
    return this.#row.head.ids[this.#place]!;
  }

  get eventType(): string {
    return this.#row.head.types[this.#place]!;
  }

  get eventCategory(): string {
    return this.#row.head.categories[this.#place]!;
  }

  get timestamp(): number {
    return this.#row.head.timestamps[this.#place]!;
  }

  get receivedAt(): number {
    return this.#row.head.receivedAts[this.#place]!;
  }

  get json(): string {
    return this.#row.json(this.#place);
  }

  copyTo(target: Buffer, at: number): number {
    return this.#row.copy(this.#place, target, at);
  }
}
