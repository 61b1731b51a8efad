import type { Filter, ListName, Range } from './filter.ts';

/** Titles of types and labels of categories, by wire value. */
export interface Words {
  readonly types: ReadonlyMap<string, string>;
  readonly categories: ReadonlyMap<string, string>;
}

export const LIST_TITLES: Readonly<Record<ListName, string>> = {
  category: 'Category',
  eventType: 'Event',
  status: 'Status',
  actor: 'Actor',
  target: 'Target',
  ip: 'IP address',
};
export const STATUS_WORDS: Readonly<Record<string, string>> = { success: 'Success', failure: 'Failure' };

/** "Last 24 hours", "All time", "22 Nov 10:00 to 11:30 UTC". */
export function rangeInWords(range: Range): string {
  if ('last' in range) {
    const n = Number.parseInt(range.last, 10);
    const unit = { m: 'minute', h: 'hour', d: 'day' }[range.last.at(-1)!]!;
    return n === 1 ? `Last ${unit}` : `Last ${n} ${unit}s`;
  }
  const { from, to } = range;
  if (from && to) {
    const [start, end] = [moment(from), moment(to)];
    return `${start} to ${from.slice(0, 10) === to.slice(0, 10) ? end.slice(end.lastIndexOf(' ') + 1) : end} UTC`;
  }
  if (from) return `Since ${moment(from)} UTC`;
  return to ? `Before ${moment(to)} UTC` : 'All time';
}

/** The whole filter as a person would say it: "Failures, by ana@acme.com, last 24 hours". */
export function filterInWords(filter: Filter, words: Words): string {
  const range = rangeInWords(filter.range);
  const parts = [
    either(filter.eventType.map((type) => words.types.get(type) ?? type)),
    either(filter.category.map((category) => words.categories.get(category) ?? category)),
    filter.status.length === 1 ? (filter.status[0] === 'failure' ? 'failures' : 'successes') : '',
    prefixed('by ', filter.actor),
    prefixed('on ', filter.target),
    prefixed('from ', filter.ip),
    filter.q && `with “${filter.q}”`,
    `${range.charAt(0).toLowerCase()}${range.slice(1)}`,
  ].filter((part) => part !== '');
  const sentence = parts.join(', ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
}

/** What a condition's button shows: its name, and what is chosen. */
export function conditionInWords(title: string, chosen: readonly string[]): string {
  if (chosen.length === 0) return title;
  return chosen.length === 1 ? `${title}: ${chosen[0]}` : `${title}: ${chosen[0]} +${chosen.length - 1}`;
}

function either(values: readonly string[]): string {
  return values.length < 2 ? (values[0] ?? '') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
function prefixed(prefix: string, values: readonly string[]): string {
  return values.length === 0 ? '' : `${prefix}${either(values)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 22 Nov, with the year where it is not this one. */
export function day(at: string, now: number = Date.now()): string {
  const iso = new Date(at).toISOString();
  const year = iso.slice(0, 4) === new Date(now).toISOString().slice(0, 4) ? '' : ` ${iso.slice(0, 4)}`;
  return `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]}${year}`;
}

/** 22 Nov 10:42, with seconds where there are some. */
export function moment(at: string): string {
  const iso = new Date(at).toISOString();
  return `${day(at)} ${iso.slice(17, 19) === '00' ? iso.slice(11, 16) : iso.slice(11, 19)}`;
}
