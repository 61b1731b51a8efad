import { type LoggedEvent, writeJson } from '../event/logged-event.ts';
import { resized } from '../give-back.ts';

/** An event's JSON: of an event as it is stored, or what was made of it. */
export type EventJson = LoggedEvent | string;

/** Place of the quoted time in an event's JSON, which begins `{"timestamp":"YYYY-MM-DDTHH:MM:SS.mmmZ"`. */
const TIME_START = '{"timestamp":'.length;
const TIME_END = TIME_START + '"YYYY-MM-DDTHH:MM:SS.mmmZ"'.length;
export const TIME_BYTES = TIME_END - TIME_START;
const COMMA = ','.charCodeAt(0);

/**
 * Puts a request body together: text of ours and the JSON of events, which is copied from where it lies in memory and
 * neither parsed nor made a string of on the way.
 */
export class BodyWriter {
  #bytes: Buffer<ArrayBuffer>;
  #at = 0;

  /** Begins with room for all `events` and for `framing` bytes beside each; makes more when more is needed. */
  constructor(events: readonly LoggedEvent[], framing: number) {
    this.#bytes = Buffer.allocUnsafeSlow(events.reduce((sum, { bytes }) => sum + bytes + framing, 0));
  }

  get isEmpty(): boolean {
    return this.#at === 0;
  }

  text(text: string): void {
    // In UTF-8 a character has three bytes at most.
    if (this.#at + 3 * text.length > this.#bytes.length) this.#reserve(Buffer.byteLength(text));
    this.#at += this.#bytes.write(text, this.#at);
  }

  /** The event's JSON, whole. */
  json(json: EventJson): void {
    if (typeof json === 'string') {
      this.text(json);
      return;
    }
    this.#reserve(json.bytes);
    this.#at += writeJson(json, this.#bytes, this.#at);
  }

  /** The event's JSON with more `fields` at its end, written `,"name":value`. */
  jsonWith(json: EventJson, fields: string): void {
    this.json(json);
    this.#at -= '}'.length;
    this.text(`${fields}}`);
  }

  /** An object that `opening` begins, up to the name and colon of its first field: the event's time; then its own fields. */
  timedJson(opening: string, json: EventJson): void {
    this.text(opening);
    this.#reserve(TIME_BYTES);
    const timeAt = this.#at;
    const jsonAt = timeAt + TIME_BYTES;
    this.#at = jsonAt;
    this.json(json);
    this.#bytes.copyWithin(timeAt, jsonAt + TIME_START, jsonAt + TIME_END);
    // Of the event's own brace.
    this.#bytes[jsonAt] = COMMA;
  }

  /** The whole body. Nothing can be written any more. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    this.#bytes = resized(this.#bytes, Math.max(needed, 2 * this.#bytes.length));
  }
}
