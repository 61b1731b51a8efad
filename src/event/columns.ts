import type { NewEvent, NewEvents, TeamId } from './logged-event.ts';

/**
 * Events on their way to another thread: by column, and texts in one piece. A structured clone of as many objects would
 * write and read each field's name for each event; and objects that wait for a commit outlive the young generation.
 */
export interface EventColumns {
  readonly teams: Repeated;
  readonly eventTypes: Repeated;
  readonly eventCategories: Repeated;
  readonly timestamps: readonly number[];
  /** A line per event, the last without its end. */
  readonly ids: string;
  readonly hashes: string;
  /** JSON, a line of UTF-8 per event. */
  readonly lines: Uint8Array;
}

/** A column of few different values: each once, and for each event which. */
interface Repeated {
  readonly values: readonly string[];
  readonly which: readonly number[];
}

const NEWLINE = 10;

export function toColumns(events: NewEvents): EventColumns {
  const all = [...events];
  return {
    teams: repeated(all.map((event) => event.team)),
    eventTypes: repeated(all.map((event) => event.eventType)),
    eventCategories: repeated(all.map((event) => event.eventCategory)),
    timestamps: all.map((event) => event.timestamp),
    ids: all.map((event) => event.id).join('\n'),
    hashes: all.map((event) => event.hash).join('\n'),
    lines: utf8Of(`${all.map((event) => event.json).join('\n')}\n`),
  };
}

/** Not from Node's pool, the whole of which would be sent. */
function utf8Of(text: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** Makes each event when it is asked for. */
export class ColumnEvents implements NewEvents {
  readonly #columns: EventColumns;

  constructor(columns: EventColumns) {
    this.#columns = columns;
  }

  get length(): number {
    return this.#columns.timestamps.length;
  }

  /** The team of the first event; there must be one. */
  get firstTeam(): TeamId {
    return entryOf(this.#columns.teams, 0);
  }

  /** Of all events' JSON, about. */
  get bytes(): number {
    return this.#columns.lines.length;
  }

  *[Symbol.iterator](): Generator<NewEvent> {
    const { teams, eventTypes, eventCategories, timestamps, lines } = this.#columns;
    const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
    const ids = this.#columns.ids.split('\n');
    const hashes = this.#columns.hashes.split('\n');
    let start = 0;
    for (const [i, timestamp] of timestamps.entries()) {
      const end = bytes.indexOf(NEWLINE, start);
      const utf8 = bytes.subarray(start, end);
      start = end + 1;
      yield {
        team: entryOf(teams, i),
        id: ids[i]!,
        eventType: entryOf(eventTypes, i),
        eventCategory: entryOf(eventCategories, i),
        timestamp,
        hash: hashes[i]!,
        get json() {
          return utf8.toString();
        },
        utf8,
      };
    }
  }
}

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
