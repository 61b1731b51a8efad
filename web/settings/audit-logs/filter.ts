import type { Query } from '../../api/api.ts';
import { listOf, oneOf, type Search } from '../../app/search.ts';

/** Which events are shown, as it stands in the page's address. */
export interface Filter extends Readonly<Record<ListName, readonly string[]>> {
  readonly range: Range;
  readonly q: string;
}
/** Relative ranges stay relative, also in an address that is shared; times are ISO 8601, absent ends are open. */
export type Range = { readonly last: string } | { readonly from?: string; readonly to?: string };

export const LISTS = ['category', 'eventType', 'status', 'actor', 'target', 'ip'] as const;
export type ListName = (typeof LISTS)[number];

export const RANGES = ['15m', '1h', '24h', '7d', '30d', '90d'] as const;
const DEFAULT_RANGE: Range = { last: '24h' };
const ALL_TIME = 'all';
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export const NO_FILTER: Filter = {
  ...{ category: [], eventType: [], status: [], actor: [], target: [], ip: [] },
  ...{ range: DEFAULT_RANGE, q: '' },
};

/** Reads an address; what it cannot mean is as if it were not there. */
export function filterOf(search: Search): Filter {
  const lists = Object.fromEntries(LISTS.map((name) => [name, listOf(search[name])])) as Record<ListName, string[]>;
  return {
    ...lists,
    status: lists.status.filter((status) => status === 'success' || status === 'failure'),
    range: rangeOf(oneOf(search['range']), oneOf(search['from']), oneOf(search['to'])),
    q: oneOf(search['q']) ?? '',
  };
}

/** The address of a filter: only what differs from no filter. */
export function searchOf({ range, q, ...lists }: Filter): Search {
  const given = LISTS.filter((name) => lists[name].length > 0).map((name) => [name, lists[name]]);
  return { ...rangeSearch(range), ...Object.fromEntries(given), ...(q !== '' && { q }) };
}

/** What the API is asked: relative ranges become times, seen from `now` (milliseconds). */
export function queryOf({ range, q, ...lists }: Filter, now: number): Query {
  return { ...timesOf(range, now), ...lists, q };
}

/** The range as times; the end of a relative one is open, since it goes on. */
export function timesOf(range: Range, now: number): { readonly from?: string; readonly to?: string } {
  return 'last' in range ? { from: new Date(now - lengthMs(range.last)).toISOString() } : range;
}

/** Whether events of this moment are in the range. */
export function reachesNow(range: Range, now: number): boolean {
  return 'last' in range || range.to === undefined || Date.parse(range.to) > now;
}

/** How many conditions are set, the range included when it is not the usual one. */
export function conditionsIn(filter: Filter): number {
  const lists = LISTS.filter((name) => filter[name].length > 0).length;
  return lists + Number(filter.q !== '') + Number(!isUsual(filter.range));
}

export function isUsual(range: Range): boolean {
  return 'last' in range && range.last === '24h';
}

function rangeOf(last: string | undefined, from: string | undefined, to: string | undefined): Range {
  if (last === ALL_TIME) return {};
  if (last !== undefined && /^[1-9]\d{0,3}[mhd]$/.test(last)) return { last };
  const times = { ...(isTime(from) && { from }), ...(isTime(to) && { to }) };
  return Object.keys(times).length > 0 ? times : DEFAULT_RANGE;
}

function rangeSearch(range: Range): Search {
  if (isUsual(range)) return {};
  if ('last' in range) return { range: range.last };
  return Object.keys(range).length > 0 ? range : { range: ALL_TIME };
}

function isTime(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-/.test(text) && !Number.isNaN(Date.parse(text));
}

function lengthMs(last: string): number {
  return Number.parseInt(last, 10) * UNITS_MS[last.at(-1)!]!;
}
