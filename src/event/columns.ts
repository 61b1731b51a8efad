import type { NewEvent } from './logged-event.ts';

/**
 * Events on their way to another thread: by column, and their JSON in one piece. A structured clone of as many objects
 * would write and read each field's name for each event.
 */
export interface EventColumns {
  readonly teams: Repeated;
  readonly ids: readonly string[];
  readonly eventTypes: Repeated;
  readonly eventCategories: Repeated;
  readonly timestamps: readonly number[];
  readonly hashes: readonly string[];
  /** One line of UTF-8 per event. */
  readonly lines: Uint8Array;
}

/** A column of few different values: each once, and for each event which. */
interface Repeated {
  readonly values: readonly string[];
  readonly which: readonly number[];
}

export function toColumns(events: readonly NewEvent[]): EventColumns {
  return {
    teams: repeated(events.map((event) => event.team)),
    ids: events.map((event) => event.id),
    eventTypes: repeated(events.map((event) => event.eventType)),
    eventCategories: repeated(events.map((event) => event.eventCategory)),
    timestamps: events.map((event) => event.timestamp),
    hashes: events.map((event) => event.hash),
    lines: utf8Of(events.map((event) => `${event.json}\n`).join('')),
  };
}

/** Not from Node's pool, the whole of which would be sent. */
function utf8Of(text: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

export function fromColumns({
  teams,
  ids,
  eventTypes,
  eventCategories,
  timestamps,
  hashes,
  lines,
}: EventColumns): NewEvent[] {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
  let start = 0;
  return ids.map((id, i) => {
    const end = bytes.indexOf(NEWLINE, start);
    const utf8 = bytes.subarray(start, end);
    start = end + 1;
    return {
      team: entryOf(teams, i),
      id,
      eventType: entryOf(eventTypes, i),
      eventCategory: entryOf(eventCategories, i),
      timestamp: timestamps[i]!,
      hash: hashes[i]!,
      get json() {
        return utf8.toString();
      },
      utf8,
    };
  });
}

const NEWLINE = 10;

function repeated(column: readonly string[]): Repeated {
  const places = new Map<string, number>();
  const which = column.map((value) => {
    const place = places.get(value) ?? places.size;
    if (place === places.size) places.set(value, place);
    return place;
  });
  return { values: [...places.keys()], which };
}

function entryOf({ values, which }: Repeated, i: number): string {
  return values[which[i]!]!;
}
