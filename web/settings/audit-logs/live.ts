import { useDocumentVisibility } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { StoredEvent } from '../../../src/contract/events.ts';
import { withQuery } from '../../api/api.ts';
import { sessionQuery, useTeam } from '../../app/session.tsx';
import type { Bar } from './brush.ts';
import type { View } from './queries.ts';

/** The live tail of a view: how it stands, and what arrived since the view was made. */
export interface Live {
  readonly state: 'live' | 'connecting' | 'reconnecting';
  /** Since when it is `reconnecting`, milliseconds. */
  readonly since: number;
  readonly arrived: Arrivals;
}
export interface Arrivals {
  readonly success: number;
  readonly failure: number;
  /** Of 10 s each, in no order. */
  readonly buckets: readonly Bar[];
}

const NOTHING: Arrivals = { success: 0, failure: 0, buckets: [] };
/** What arrives is shown twice a second at most. */
const SHOW_MS = 500;
const RETRY_MS = 3_000;
/** No bar of a range that reaches now is shorter. */
const GRAIN_MS = 10_000;

/**
 * Follows the log behind sequence `after` with the view's filter. Closed while the page is hidden, for a browser has only
 * few connections, and then goes on where it was. `after` undefined: not yet, or not at all.
 */
export function useLive(view: View, after: number | undefined): Live {
  const team = useTeam().id;
  const queryClient = useQueryClient();
  const isShown = useDocumentVisibility() === 'visible';
  const [connection, setConnection] = useState<Pick<Live, 'state' | 'since'>>({ state: 'connecting', since: 0 });
  const [arrived, setArrived] = useState<{ readonly of: string; readonly arrivals: Arrivals } | null>(null);
  const reached = useRef<{ of: string; sequence: number; tally: Tally } | null>(null);

  useEffect(() => {
    if (after === undefined || !isShown) return;
    const { to: _, ...filter } = view.query;
    if (reached.current?.of !== view.id)
      reached.current = { of: view.id, sequence: after, tally: { success: 0, failure: 0, buckets: new Map() } };
    const place = reached.current;
    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let shown: ReturnType<typeof setTimeout> | undefined;

    const show = () => {
      shown = undefined;
      const { success, failure, buckets } = place.tally;
      setArrived({ of: view.id, arrivals: { success, failure, buckets: [...buckets.values()] } });
    };
    const open = () => {
      source = new EventSource(withQuery('/v1/events/stream', { ...filter, team, after: place.sequence }));
      source.onopen = () => setConnection({ state: 'live', since: Date.now() });
      source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
        place.sequence = Number(lastEventId);
        count(place.tally, JSON.parse(data) as StoredEvent);
        shown ??= setTimeout(show, SHOW_MS);
      };
      source.onerror = () => {
        // It may have ended because the person may not read on: that is shown at once.
        void queryClient.invalidateQueries(sessionQuery);
        setConnection((was) => (was.state === 'reconnecting' ? was : { state: 'reconnecting', since: Date.now() }));
        // The browser tries again by itself unless the service refused.
        if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, RETRY_MS);
      };
    };
    open();
    return () => {
      source?.close();
      clearTimeout(again);
      clearTimeout(shown);
    };
  }, [team, view, after, isShown, queryClient]);

  return { ...connection, arrived: arrived?.of === view.id ? arrived.arrivals : NOTHING };
}

interface Tally {
  success: number;
  failure: number;
  readonly buckets: Map<number, { at: number; success: number; failure: number }>;
}

function count(tally: Tally, { timestamp, status }: StoredEvent): void {
  const at = Math.floor(Date.parse(timestamp) / GRAIN_MS) * GRAIN_MS;
  const bucket = tally.buckets.get(at) ?? { at, success: 0, failure: 0 };
  tally.buckets.set(at, bucket);
  bucket[status]++;
  tally[status]++;
}
