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
  /** One line per event. */
  readonly lines: string;
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
    lines: events.map((event) => event.json).join('\n'),
  };
}

export function fromColumns(columns: EventColumns): NewEvent[] {
  const { teams, ids, eventTypes, eventCategories, timestamps, hashes, lines } = columns;
  if (ids.length === 0) return [];
  return lines.split('\n').map((json, i) => ({
    team: entryOf(teams, i),
    id: ids[i]!,
    eventType: entryOf(eventTypes, i),
    eventCategory: entryOf(eventCategories, i),
    timestamp: timestamps[i]!,
    hash: hashes[i]!,
    json,
  }));
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
