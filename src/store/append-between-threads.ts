import type { NewEvent } from '../event/logged-event.ts';
import type { Appended, EventLog } from './event-log.ts';

/**
 * `EventLog.append` for a log on another thread. Events cross as columns, their JSON as one text: cloning thousands of
 * small objects would cost more than storing them, and the caller's would outlive the garbage collector's young days.
 */
export interface AppendByColumns {
  append(events: EventColumns): Promise<AppendedColumns>;
}

interface EventColumns {
  readonly teams: readonly string[];
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly categories: readonly string[];
  readonly timestamps: readonly number[];
  readonly hashes: readonly string[];
  /** One line per event. */
  readonly json: string;
}

interface AppendedColumns {
  readonly sequences: readonly number[];
  /** What was not appended, by place. */
  readonly others: readonly (readonly [index: number, kind: Appended['kind']])[];
}

/** The log's side. */
export function appendByColumns(log: Pick<EventLog, 'append'>): AppendByColumns {
  return {
    append: async ({ teams, ids, types, categories, timestamps, hashes, json }) => {
      const lines = json === '' ? [] : json.split('\n');
      const events = lines.map(
        (line, i): NewEvent => ({
          team: teams[i]!,
          id: ids[i]!,
          eventType: types[i]!,
          eventCategory: categories[i]!,
          timestamp: timestamps[i]!,
          hash: hashes[i]!,
          json: line,
        }),
      );
      const outcomes = await log.append(events);
      return {
        sequences: outcomes.map(({ sequence }) => sequence),
        others: outcomes.flatMap(({ kind }, i) => (kind === 'appended' ? [] : [[i, kind] as const])),
      };
    },
  };
}

/** The caller's side. */
export function appendThrough(log: AppendByColumns): EventLog['append'] {
  return async (events) => {
    const { sequences, others } = await log.append({
      teams: events.map(({ team }) => team),
      ids: events.map(({ id }) => id),
      types: events.map(({ eventType }) => eventType),
      categories: events.map(({ eventCategory }) => eventCategory),
      timestamps: events.map(({ timestamp }) => timestamp),
      hashes: events.map(({ hash }) => hash),
      json: events.map(({ json }) => json).join('\n'),
    });
    const outcomes = sequences.map((sequence): Appended => ({ kind: 'appended', sequence }));
    for (const [i, kind] of others) outcomes[i] = { kind, sequence: sequences[i]! };
    return outcomes;
  };
}
