import { bytes, count } from '../../../ui/words.ts';
import type { Replay } from '../model.ts';

/** A range of the log by time of receipt, milliseconds; `to` is not in it. */
export interface ReplayRange {
  readonly from: number;
  readonly to: number;
}

export const PRESETS = { hour: 'Last hour', day: 'Last 24 hours', week: 'Last 7 days' } as const;
const PRESET_MS = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000 } as const;

export function presetRange(name: keyof typeof PRESETS, now: number): ReplayRange {
  return { from: now - PRESET_MS[name], to: now };
}

/** The only SIEM here that stores an event once however often it comes: its document's id is the event's. */
const IGNORES_REPEATS: readonly string[] = ['elastic'];

/** What starting would do, in the words of the dry run. */
export function dryRunWords({ events, bytes: size }: Pick<Replay, 'events' | 'bytes'>): string {
  return events === 0 ? 'No event of this time is forwarded here.' : `${count(events, 'event')}, about ${bytes(size)}.`;
}

/** What becomes of events that the SIEM has already. */
export function repeatsNote(kind: string, siem: string, events: number): string {
  return IGNORES_REPEATS.includes(kind)
    ? `${siem} ignores those it has.`
    : `${siem} does not recognise repeats: it may show ${events === 1 ? 'this one' : `up to ${count(events)}`} twice, each with the same id.`;
}

/** How a replay stands or how it ended. */
export function progressWords({ status, events, delivered, rejected }: Replay): string {
  const letters = rejected > 0 ? `, ${count(rejected)} refused and kept as dead letters` : '';
  switch (status) {
    case 'running':
      return `${count(delivered + rejected)} of ${count(events)} sent again${letters}`;
    case 'done':
      return events === 0 ? 'Nothing to send' : `${count(delivered)} of ${count(events)} delivered${letters}`;
    case 'cancelled':
      return `Stopped after ${count(delivered + rejected)} of ${count(events)}${letters}`;
    case 'dry_run':
      return dryRunWords({ events, bytes: 0 });
    default:
      return status satisfies never;
  }
}

/** Share of a replay that is settled, 0 to 100. */
export function percent({ events, delivered, rejected }: Replay): number {
  return events === 0 ? 100 : Math.min(100, ((delivered + rejected) / events) * 100);
}

/** Minutes of UTC for a field of type datetime-local, and back; undefined: no time. */
export function toField(at: number): string {
  return new Date(at).toISOString().slice(0, 16);
}
export function fromField(text: string): number | undefined {
  const at = Date.parse(`${text.slice(0, 16)}:00.000Z`);
  return Number.isNaN(at) ? undefined : at;
}

/** Why a range cannot be sent again; null: it can. */
export function rangeProblem({ from, to }: ReplayRange): string | null {
  return from < to ? null : 'The end must be after the begin.';
}
