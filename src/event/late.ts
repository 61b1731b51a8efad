import { parseJson } from './parse-json.ts';

const MARK = ',"trailproof":{"late":true}';

/**
 * Marks an event that leaves for its SIEM after the SIEM's time window, so that whoever reads it there under another
 * time knows why: `trailproof.late`. Its own time stays in `timestamp`.
 */
export function markLate(json: string): string {
  // Most events have no marks yet: theirs come last in any case.
  if (!json.includes('"trailproof":')) return `${json.slice(0, -1)}${MARK}}`;
  const event = parseJson(json) as { readonly trailproof?: object };
  return JSON.stringify({ ...event, trailproof: { ...event.trailproof, late: true } });
}

/** What the mark adds at most to an event's JSON. */
export const LATE_BYTES = MARK.length;
