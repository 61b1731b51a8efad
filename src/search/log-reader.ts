import type { LoggedEvent, Sequence, TeamId } from '../event/logged-event.ts';
import type { EventLog } from '../store/event-log.ts';

/** The log as search reads it. */
export type LogReader = Pick<EventLog, 'read' | 'bounds'> & {
  teams(): Promise<readonly { team: TeamId; last: Sequence }[]>;
};

/** Sequences from `low` to `high`, both included. */
export interface Range {
  readonly low: Sequence;
  readonly high: Sequence;
}

const READ_BYTES = 4 * 1024 * 1024;
/** A page ends early when its events reach this many bytes. */
const PAGE_BYTES = 16 * 1024 * 1024;
/** Wanted events nearer to each other than RUN_GAP are read as one run. */
const RUN_GAP = 16;
/** No run goes beyond a multiple of so many: where rows of the log end, unless events are large, so none is read twice. */
const RUN_EVENTS = 256;

/** All that the log still has of a range, oldest first. */
export async function readRange(log: LogReader, team: TeamId, { low, high }: Range): Promise<readonly LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (let after = low - 1; after < high; ) {
    const read = await log.read(team, after, { events: high - after, bytes: READ_BYTES });
    if (read.length === 0) break;
    for (const event of read) if (event.sequence <= high) events.push(event);
    after = read.at(-1)!.sequence;
  }
  return events;
}

/**
 * The events at these ascending or descending sequences, in their order, without those the log no longer has; and how
 * many of the sequences were looked at, all of them unless the page is full before.
 */
export async function readPage(
  log: LogReader,
  team: TeamId,
  sequences: readonly Sequence[],
): Promise<{ readonly events: readonly string[]; readonly looked: number }> {
  const events: string[] = [];
  let bytes = 0;
  for (let looked = 0; looked < sequences.length; ) {
    const row = Math.ceil(sequences[looked]! / RUN_EVENTS);
    let end = looked + 1;
    while (
      end < sequences.length &&
      Math.abs(sequences[end]! - sequences[end - 1]!) <= RUN_GAP &&
      Math.ceil(sequences[end]! / RUN_EVENTS) === row
    )
      end++;
    const ends = [sequences[looked]!, sequences[end - 1]!];
    const run = await readRange(log, team, { low: Math.min(...ends), high: Math.max(...ends) });
    const bySequence = new Map(run.map((event) => [event.sequence, event]));
    for (; looked < end; looked++) {
      const event = bySequence.get(sequences[looked]!);
      if (!event) continue;
      if (events.length > 0 && bytes + event.bytes > PAGE_BYTES) return { events, looked };
      bytes += event.bytes;
      events.push(event.json);
    }
  }
  return { events, looked: sequences.length };
}
