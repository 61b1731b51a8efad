import { ColumnEvents, type EventColumns, toColumns } from '../event/columns.ts';
import { giveBack } from '../give-back.ts';
import type { Appended, EventLog } from './event-log.ts';

/** `append` between threads, where an array of objects would cost as much as the appending. */
export interface AppendPort {
  append(events: EventColumns): Promise<AppendedColumns>;
}

interface AppendedColumns {
  readonly kinds: readonly Appended['kind'][];
  /** 0 where there is none. */
  readonly sequences: readonly number[];
}

/** The end that has the log. */
export function exposeAppend(log: Pick<EventLog, 'append'>): AppendPort {
  return {
    append: async (events) => {
      const outcomes = await log.append(new ColumnEvents(events));
      giveBack(events.lines);
      return {
        kinds: outcomes.map(({ kind }) => kind),
        sequences: outcomes.map((outcome) => ('sequence' in outcome ? outcome.sequence : 0)),
      };
    },
  };
}

/** The other end. */
export function connectAppend(port: AppendPort): EventLog['append'] {
  // Not async: nothing here holds on to the events while they are being appended.
  return (events) => {
    const columns = toColumns(events);
    const answer = port.append(columns);
    // It was copied.
    giveBack(columns.lines);
    return answer.then(({ kinds, sequences }) =>
      kinds.map((kind, i) => (kind === 'team_deleted' ? { kind } : { kind, sequence: sequences[i]! })),
    );
  };
}
