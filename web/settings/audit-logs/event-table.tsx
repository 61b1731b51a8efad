import { useDebouncedValue, useHotkeys, useMediaQuery } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { defaultRangeExtractor, useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Search, stringifySearch } from '../../app/search.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { useNow } from '../../ui/time.tsx';
import { PAGE } from './address.ts';
import { EndOfList } from './end-of-list.tsx';
import { EventRow } from './event-row.tsx';
import classes from './event-table.module.css';
import { useEventWindow, useTrail } from './event-window.ts';
import { type Page, useDestinations, useWords, type View } from './queries.ts';
import { useRowDeliveries } from './row-delivery.ts';
import { endOf } from './trail.ts';

/** An event's neighbours in the list, newer and older; absent: none, or not in memory. */
export interface Place {
  readonly newer?: string;
  readonly older?: string;
}

/** A browser's page cannot be of any height; behind this many rows one goes on from a later point. */
const MOST_ROWS = 300_000;
const REST_MS = 120;
/** What stays above the rows when they scroll: the frame's header, filters and column titles. */
const STICKY_PX = 172;

/** The events of a view, newest first. Only the rows near the window exist, and only the pages near them are in memory. */
export function EventTable(props: {
  view: View;
  firstPage: Page;
  total: number | undefined;
  opened: string | undefined;
  /** Something lies over the list: keys are not for it. */
  isCovered: boolean;
  onPlace: (place: Place) => void;
}) {
  const { view, firstPage, total, opened, isCovered, onPlace } = props;
  const isNarrow = useMediaQuery('(max-width: 639px)', globalThis.innerWidth < 640);
  const rowHeight = isNarrow ? 64 : 40;
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const now = useNow();
  const words = useWords();

  const trail = useTrail(firstPage);
  const { known, isComplete } = endOf(trail[0]);
  const rows = Math.min(known, MOST_ROWS);
  const goesOn = !isComplete && known < MOST_ROWS;
  const virtualizer = useWindowVirtualizer({
    count: rows + (goesOn ? 1 : 0),
    estimateSize: () => rowHeight,
    overscan: 10,
    scrollMargin: top,
    scrollPaddingStart: STICKY_PX,
    scrollPaddingEnd: 16,
    // The row with the focus stays, so that it is not lost when it is scrolled away.
    rangeExtractor: (range) =>
      [...new Set([...defaultRangeExtractor(range), active])].filter((i) => i < range.count).sort((a, b) => a - b),
  });
  // What stands above may come and go, such as a banner.
  useLayoutEffect(() => {
    const offset = body.current!.getBoundingClientRect().top + globalThis.scrollY;
    if (Math.abs(offset - top) > 1) setTop(offset);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are measured anew when rows change theirs
  useEffect(() => virtualizer.measure(), [rowHeight]);

  const items = virtualizer.getVirtualItems();
  const { startIndex: first = 0, endIndex: last = 0 } = virtualizer.range ?? {};
  const events = useEventWindow(view, firstPage, trail, { first, last });

  // As long as it is not known, their column keeps its place.
  const { data: destinations } = useDestinations();
  const isForwarded = destinations === undefined || destinations.length > 0;
  const ids = items.flatMap(({ index }) => events.row(index)?.id ?? []);
  const [restingIds] = useDebouncedValue(ids.join(' '), REST_MS);
  const deliveries = useRowDeliveries(restingIds === '' ? [] : restingIds.split(' '), isForwarded);

  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const hrefOf = (index: number) => {
    const event = events.row(index)?.id;
    return event && PAGE + stringifySearch({ ...search, event });
  };
  const onOpen = useCallback(
    (click: MouseEvent<HTMLAnchorElement>) => {
      const { event } = click.currentTarget.dataset;
      // With a key held the browser opens a tab or window of its own.
      if (!event || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
      click.preventDefault();
      void navigate({ to: PAGE, search: (old) => ({ ...old, event }), resetScroll: false });
    },
    [navigate],
  );

  const focus = (index: number) => {
    const next = Math.max(0, Math.min(rows - 1, index));
    setActive(next);
    virtualizer.scrollToIndex(next, { align: 'auto' });
    // The row may only come to be with the next frame.
    requestAnimationFrame(() => document.getElementById(rowId(next))?.focus({ preventScroll: true }));
  };
  const isFree = !isCovered && opened === undefined;
  useHotkeys([
    ['j', () => isFree && focus(hasFocus(body.current) ? active + 1 : Math.max(first, active))],
    ['k', () => isFree && focus(active - 1)],
  ]);
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: rows - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focus(to);
  };

  // The open event's row is the active one, and gets the focus back when the drawer closes.
  const at = opened === undefined ? -1 : events.indexOf(opened);
  const newer = events.row(at - 1)?.id;
  const older = at === -1 ? undefined : events.row(at + 1)?.id;
  const wasOpen = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when another event is opened
  useEffect(() => {
    if (opened === undefined && wasOpen.current) focus(active);
    wasOpen.current = opened !== undefined;
    if (at === -1) return;
    setActive(at);
    virtualizer.scrollToIndex(at, { align: 'auto' });
  }, [opened, at]);
  useEffect(() => {
    onPlace({ ...(newer !== undefined && { newer }), ...(older !== undefined && { older }) });
    return () => onPlace({});
  }, [newer, older, onPlace]);

  return (
    <>
      <table
        aria-label="Events, newest first"
        aria-rowcount={isComplete ? rows + 1 : total === undefined ? -1 : total + 1}
        className={classes['grid']}
        data-delivery={isForwarded || undefined}
        onKeyDown={onKeyDown}
      >
        <thead>
          <tr aria-rowindex={1} className={classes['head']}>
            {[...COLUMNS, ...(isForwarded ? ['At SIEMs'] : [])].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} className={classes['body']} style={{ height: virtualizer.getTotalSize() }}>
          {items.map(({ index, start }) => (
            <EventRow
              key={index}
              id={rowId(index)}
              index={index}
              top={start - top}
              height={rowHeight}
              event={index < rows ? events.row(index) : undefined}
              isActive={index === active}
              isOpen={index === at}
              words={words}
              now={now}
              delivery={isForwarded ? deliveries.get(events.row(index)?.id ?? '') : null}
              href={hrefOf(index)}
              onOpen={onOpen}
              onFocus={setActive}
            />
          ))}
        </tbody>
      </table>
      {events.error && (
        <ErrorState title="Older events could not be loaded" error={events.error} retry={events.retry} />
      )}
      <EndOfList rows={rows} isComplete={isComplete} isCapped={known >= MOST_ROWS} lastShown={events.row(rows - 1)} />
    </>
  );
}

const COLUMNS = ['Time (UTC)', 'Event', 'Who', 'From', 'Outcome'];

function rowId(index: number): string {
  return `event-row-${index}`;
}
function hasFocus(element: HTMLElement | null): boolean {
  return element?.contains(document.activeElement) ?? false;
}
