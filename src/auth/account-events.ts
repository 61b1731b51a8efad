import type { Clock } from '../clock.ts';
import type { Role } from '../contract/roles.ts';
import type { NewEvent, TeamId } from '../event/logged-event.ts';
import { INSTALLATION_TEAM, type OwnEvent, ownEvent } from '../event/own-event.ts';
import { StorageDamaged, StoreUnavailable } from '../store/event-log.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Account } from './accounts.ts';
import type { Origin } from './principal.ts';

/** Something that happened to an account, or was tried with an address. */
export interface AccountEvent
  extends Pick<OwnEvent, 'id' | 'eventType' | 'failureReason' | 'description' | 'target' | 'metadata'> {
  /** `attempted`: an address that is nobody's. */
  readonly who: Person | { readonly attempted: string };
  readonly origin: Origin;
  readonly sessionId?: string;
  /** Teams whose logs it goes to besides those the person is active in. In all none: the installation's. */
  readonly alsoIn?: readonly TeamId[];
}
export type Person = Pick<Account, 'id' | 'email' | 'name'>;

/** Writes events of accounts into the logs they belong to. */
export interface AccountEvents {
  /** Resolves once they are durable. Rejects with StoreUnavailable when they are not: then nothing was kept. */
  record(...events: readonly AccountEvent[]): Promise<void>;
  /** For what cannot be undone: as `record`, but rejected events are kept in memory and tried again. */
  recordDone(...events: readonly AccountEvent[]): Promise<void>;
  /**
   * Records refusals of too frequent attempts beside the answer: the first of a `source` at once, what follows within
   * a minute as one event with their number. `source` must not be for the client to choose freely.
   */
  noteFlood(source: string, event: AccountEvent): void;
  close(): Promise<void>;
}

export function createAccountEvents(parts: {
  readonly rolesOf: (user: string) => Promise<ReadonlyMap<TeamId, Role>>;
  readonly append: (events: readonly NewEvent[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}): AccountEvents {
  const { rolesOf, append, clock, logger } = parts;
  const owed: Dated[] = [];
  const floods = new Map<string, { attempts: number }>();
  const working = new Set<Promise<unknown>>();
  const closing = new AbortController();
  let isPaying = false;

  const write = async (events: readonly Dated[]): Promise<void> => {
    try {
      const sealed = await Promise.all(
        events.map(async (event) => {
          const own = 'id' in event.who ? (await rolesOf(event.who.id)).keys() : [];
          const teams = new Set([...own, ...(event.alsoIn ?? [])]);
          return (teams.size > 0 ? [...teams] : [INSTALLATION_TEAM]).map((team) => seal(event, team));
        }),
      );
      if (events.length > 0) await append(sealed.flat());
    } catch (cause) {
      if (cause instanceof StoreUnavailable || cause instanceof StorageDamaged) throw cause;
      throw new StoreUnavailable('storage_error', 'the audit log does not take events', { cause });
    }
  };

  const dated = (events: readonly AccountEvent[]): readonly Dated[] => {
    const at = clock.now();
    return events.map((event) => ({ ...event, at }));
  };

  const recordDone = async (events: readonly Dated[]): Promise<void> => {
    try {
      await write(events);
    } catch (error) {
      owed.push(...events.slice(0, Math.max(MOST_OWED - owed.length, 0)));
      if (!isPaying) beside(payOwed());
      throw error;
    }
  };

  const payOwed = async (): Promise<void> => {
    isPaying = true;
    while (owed.length > 0) {
      await clock.sleep(RETRY_MS, closing.signal);
      const batch = owed.splice(0);
      try {
        await write(batch);
      } catch (err) {
        if (closing.signal.aborted) {
          logger.error({ err, events: batch.length }, 'events of accounts could not be recorded and are lost');
          break;
        }
        owed.unshift(...batch);
      }
    }
    isPaying = false;
  };

  /** Lets `work` happen beside the answer; `close` waits for it. */
  const beside = (work: Promise<unknown>): void => {
    const settled = work.catch(() => {}).finally(() => working.delete(settled));
    working.add(settled);
  };

  return {
    record: (...events) => write(dated(events)),
    recordDone: (...events) => recordDone(dated(events)),
    noteFlood: (source, event) => {
      const flood = floods.get(source);
      if (flood) {
        flood.attempts += 1;
        return;
      }
      if (floods.size >= MOST_FLOODS) return;
      const counted = { attempts: 0 };
      floods.set(source, counted);
      const note = (attempts: number) => recordDone(dated([{ ...event, metadata: { ...event.metadata, attempts } }]));
      beside(note(1));
      beside(
        clock.sleep(FLOOD_MS, closing.signal).then(() => {
          floods.delete(source);
          return counted.attempts > 0 ? note(counted.attempts) : undefined;
        }),
      );
    },
    close: async () => {
      closing.abort();
      while (working.size > 0) await Promise.all(working);
    },
  };
}

type Dated = AccountEvent & { readonly at: number };

const RETRY_MS = 30_000;
const MOST_OWED = 10_000;
const FLOOD_MS = 60_000;
const MOST_FLOODS = 1000;
/** Longest e-mail address (RFC 5321 §4.5.3.1.3, less the angle brackets). */
const EMAIL_MAX_LENGTH = 254;

function seal({ who, origin, sessionId, alsoIn: _, ...event }: Dated, team: TeamId): NewEvent {
  return ownEvent({
    ...event,
    team,
    ...(event.failureReason !== undefined && { status: 'failure' }),
    actor:
      'id' in who
        ? { id: who.id, type: 'user', email: who.email, name: who.name }
        : { id: 'unknown', type: 'user', email: who.attempted.slice(0, EMAIL_MAX_LENGTH) },
    context: { ...origin, ...(sessionId !== undefined && { sessionId }) },
  });
}
