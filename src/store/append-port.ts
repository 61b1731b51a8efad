import { type Packed, PackedEvents } from '../event/packed-events.ts';
import { giveBack } from '../give-back.ts';
import type { Appended, EventLog } from './event-log.ts';

/** `append` between threads, where an array of objects would cost as much as the appending. */
export interface AppendPort {
  append(events: Packed): Promise<PackedOutcomes>;
}

interface PackedOutcomes {
  /** 0 where there is none. */
  readonly sequences: readonly number[];
  /** Of the events that were not appended, by their place. */
  readonly others: ReadonlyMap<number, Exclude<Appended['kind'], 'appended'>>;
}

/** The end that has the log. */
export function exposeAppend(log: Pick<EventLog, 'append'>): AppendPort {
  return {
    append: async (events) => {
      const outcomes = await log.append(new PackedEvents(events));
      giveBack(events.records);
      return packOutcomes(outcomes);
    },
  };
}

/** The other end. Events that are packed already are taken: only their number is left. */
export function connectAppend(port: AppendPort): EventLog['append'] {
  // Not async: nothing here holds on to the events while they are being appended.
  return (events) => {
    const { packed } = PackedEvents.of(events);
    const answer = port.append(packed);
    // It was copied.
    giveBack(packed.records);
    return answer.then(unpackOutcomes);
  };
}

function packOutcomes(outcomes: readonly Appended[]): PackedOutcomes {
  const others = new Map<number, Exclude<Appended['kind'], 'appended'>>();
  const sequences = outcomes.map((outcome, i) => {
    if (outcome.kind !== 'appended') others.set(i, outcome.kind);
    return outcome.kind === 'team_deleted' ? 0 : outcome.sequence;
  });
  return { sequences, others };
}

function unpackOutcomes({ sequences, others }: PackedOutcomes): Appended[] {
  return sequences.map((sequence, i) => {
    const kind = others.get(i) ?? 'appended';
    return kind === 'team_deleted' ? { kind } : { kind, sequence };
  });
}
