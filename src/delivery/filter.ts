import { CATEGORIES } from '../event/catalogue.ts';
import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import type { FilterVersion } from '../store/destinations.ts';
import type { DestinationFilter } from './delivery.ts';

/** Whether the event passes the version in effect at its sequence (design §9 "Filter"). `filters`: oldest first. */
export function matches(filters: readonly FilterVersion[], event: LoggedEvent): boolean {
  return passes(versionAt(filters, event.sequence), event);
}

/** Whether the event passes this version, wherever in the log it stands. */
export function passes(filter: FilterVersion, event: LoggedEvent): boolean {
  if (filter.eventTypes && !filter.eventTypes.includes(event.eventType)) return false;
  if (!filter.categories || filter.categories.includes(event.eventCategory)) return true;
  return filter.newCategories && !filter.knownCategories.includes(event.eventCategory);
}

/** The version in effect at a sequence; before the first version, the first. */
export function versionAt(filters: readonly FilterVersion[], sequence: Sequence): FilterVersion {
  return filters.findLast((version) => version.fromSequence <= sequence) ?? filters[0]!;
}

/**
 * Up to which sequence every event after `after` matches whatever it is, so that it can be counted without being read.
 * `after` itself when the version in effect there has to look at events; Infinity when no later version says otherwise.
 */
export function matchesAllThrough(filters: readonly FilterVersion[], after: Sequence): Sequence {
  const current = versionAt(filters, after + 1);
  if (current.categories || current.eventTypes) return after;
  return (filters.find((version) => version.fromSequence > after + 1)?.fromSequence ?? Infinity) - 1;
}

/** Versions kept per destination: old ones answer where an old event went ("filtered"). */
const VERSIONS_KEPT = 100;

/**
 * The filter from `fromSequence` on, after what was in effect before. A version under which something may still be
 * pending (from `cursor` on) is never dropped. `seen`: the categories the team's log has seen so far.
 */
export function withFilter(
  filters: readonly FilterVersion[],
  filter: DestinationFilter,
  { fromSequence, cursor, seen }: { fromSequence: Sequence; cursor: Sequence; seen: readonly string[] },
): readonly FilterVersion[] {
  const knownCategories = [...new Set([...CATEGORIES.map((category) => category.value), ...seen])];
  const kept = filters.filter((version) => version.fromSequence < fromSequence);
  const needed = kept.findLastIndex((version) => version.fromSequence <= cursor + 1);
  return [
    ...kept.slice(Math.max(0, Math.min(needed, kept.length + 1 - VERSIONS_KEPT))),
    { fromSequence, ...filter, knownCategories },
  ];
}
