import { useNavigate, useSearch } from '@tanstack/react-router';
import { oneOf, type Search } from '../../app/search.ts';
import { type Filter, filterOf, searchOf } from './filter.ts';

export const PAGE = '/settings/audit-logs';
export type Panel = 'export' | 'siem';

/** What the page's address says, and the ways to change it. */
export interface Address {
  readonly filter: Filter;
  /** The event whose drawer is open. */
  readonly event: string | undefined;
  readonly panel: string | undefined;
  /** `replace`: the address before is not one to come Back to, such as half a word. */
  setFilter(filter: Filter, options?: { readonly replace: boolean }): void;
  open(what: { readonly event?: string; readonly panel?: Panel }, options?: { readonly replace: boolean }): void;
  close(): void;
}

export function useAddress(): Address {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const filter = filterOf(search);
  const go = (search: Search, replace = false) => void navigate({ to: PAGE, search, replace, resetScroll: false });
  return {
    filter,
    event: oneOf(search['event']),
    panel: oneOf(search['panel']),
    setFilter: (next, options) => go(searchOf(next), options?.replace),
    open: (what, options) => go({ ...searchOf(filter), ...what }, options?.replace),
    close: () => go(searchOf(filter)),
  };
}
