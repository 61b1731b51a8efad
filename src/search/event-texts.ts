import { CanonicalReader, slotOf } from '../event/canonical-form.ts';
import { behindPlace, type LoggedEvent, writeJson } from '../event/logged-event.ts';

/** The fields of an event that can be searched, by their path. */
const PATHS = [
  'eventCategory',
  'eventType',
  'status',
  'description',
  'actor.id',
  'actor.name',
  'actor.email',
  'target.id',
  'target.name',
  'context.ipAddress',
] as const;
export type TextPath = (typeof PATHS)[number];

const SLOTS = Object.fromEntries(PATHS.map((path) => [path, slotOf(path)])) as Readonly<Record<TextPath, number>>;

const BACKSLASH = 92;
const MOST_ASCII = 127;

/** Reads what can be searched of one event after the other. */
export class EventTexts {
  /** Where the text is that was found last, in UTF-8. */
  source = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** It is ASCII without control characters. */
  isPlain = false;
  readonly #reader = new CanonicalReader();
  #bytes = Buffer.alloc(0);
  /** The event, when its bytes are not as they are read quickest. */
  #parsed: object | undefined;

  read(event: LoggedEvent): void {
    if (event.bytes > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(2 * event.bytes);
    writeJson(event, this.#bytes, 0);
    const isCanonical = this.#reader.known(this.#bytes, behindPlace(this.#bytes)) !== -1;
    this.#parsed = isCanonical ? undefined : (JSON.parse(event.json) as object);
  }

  /** Finds a text of the event that was read last; false: it has none, or an empty one. */
  find(path: TextPath): boolean {
    if (this.#parsed) return this.#findUnescaped(path);
    const start = this.#reader.startOf(SLOTS[path]);
    const end = this.#reader.endOf(SLOTS[path]);
    let bits = 0;
    for (let at = start; at < end; at++) {
      const byte = this.#bytes[at]!;
      if (byte === BACKSLASH) return this.#findUnescaped(path);
      bits |= byte;
    }
    this.source = this.#bytes;
    this.start = start;
    this.end = end;
    this.isPlain = bits <= MOST_ASCII;
    return start < end;
  }

  /** A text of the event that was read last. */
  text(path: TextPath): string | undefined {
    return this.#parsed ? textAt(this.#parsed, path) : this.#reader.text(SLOTS[path]);
  }

  #findUnescaped(path: TextPath): boolean {
    this.source = Buffer.from(this.text(path) ?? '');
    this.start = 0;
    this.end = this.source.length;
    this.isPlain = false;
    return this.end > 0;
  }
}

function textAt(event: object, path: string): string | undefined {
  let value: unknown = event;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return typeof value === 'string' ? value : undefined;
}
