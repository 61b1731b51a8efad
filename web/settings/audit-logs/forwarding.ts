import type { Destination } from '../../../src/contract/destinations.ts';

type Kept = Destination['filter'];
/** The switches of one destination. */
export interface Switches {
  readonly on: ReadonlySet<string>;
  /** Whether categories are forwarded that are not seen yet. */
  readonly newCategories: boolean;
}

/** How a destination's filter looks on the switches of these categories. */
export function switchesOf(filter: Kept, categories: readonly string[]): Switches {
  const { categories: chosen, newCategories, knownCategories } = filter;
  if (chosen === null) return { on: new Set(categories), newCategories: true };
  const isOn = (category: string) =>
    chosen.includes(category) || (newCategories && !knownCategories.includes(category));
  return { on: new Set(categories.filter(isOn)), newCategories };
}

/** The filter the switches mean: everything, now and later, has no list. */
export function filterOfSwitches({ on, newCategories }: Switches, categories: readonly string[]) {
  const isAll = newCategories && categories.every((category) => on.has(category));
  return { categories: isAll ? null : categories.filter((category) => on.has(category)), newCategories };
}

/** What saving would change, as a person would say it; empty: nothing. */
export function changedInWords(
  before: Switches,
  after: Switches,
  categories: readonly { readonly value: string; readonly label: string }[],
): readonly string[] {
  const labels = (wanted: (value: string) => boolean) =>
    categories.filter(({ value }) => wanted(value)).map(({ label }) => label);
  const started = labels((value) => after.on.has(value) && !before.on.has(value));
  const stopped = labels((value) => before.on.has(value) && !after.on.has(value));
  return [
    started.length > 0 && `starts to get ${started.join(', ')}`,
    stopped.length > 0 && `no longer gets ${stopped.join(', ')}`,
    after.newCategories !== before.newCategories &&
      (after.newCategories ? 'gets categories not seen before' : 'no longer gets categories not seen before'),
  ].filter((change) => change !== false);
}
