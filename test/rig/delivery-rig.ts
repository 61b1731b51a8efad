import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { createDelivery, type RunningDelivery } from '../../src/delivery/deliver.ts';
import type { NewDestination } from '../../src/delivery/delivery.ts';
import type { Destination, DestinationLimits, Outcome } from '../../src/destinations/destination.ts';
import type { LoggedEvent, NewEvent } from '../../src/event/logged-event.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { TestClock } from './test-clock.ts';

export const TEAM = 'acme';
export const LIMITS: DestinationLimits = {
  batchEvents: 100,
  batchBytes: 1_000_000,
  eventBytes: 100_000,
  overheadBytes: 100,
};
export const DELIVERED: Outcome = { kind: 'delivered' };
export const REFUSED: Outcome = { kind: 'refused', reason: 'Invalid data format', status: 400, answer: 'no' };
export const BAD_TOKEN: Outcome = {
  kind: 'misconfigured',
  cause: 'credential',
  reason: 'Token refused',
  fix: 'Replace it',
};

/** A destination that answers as the test says and remembers what it took. */
export class Siem {
  limits = LIMITS;
  readonly received: string[] = [];
  readonly sends: string[][] = [];
  prepared = 0;
  prepareError: Error | null = null;
  checks = 0;
  closed = 0;
  /** By default everything is taken. */
  answer: (ids: string[], signal: AbortSignal, accepted: () => void) => Outcome | Promise<Outcome> = () => DELIVERED;
  check: () => Outcome = () => DELIVERED;

  open(): { destination: Destination; limits: DestinationLimits } {
    const destination: Destination = {
      endpoint: 'https://siem.example',
      prepare: async (batch) => {
        this.prepared++;
        if (this.prepareError) throw this.prepareError;
        return { bytes: batch.length, send: (signal, accepted) => this.#take(batch, signal, accepted) };
      },
      check: async () => {
        this.checks++;
        return this.check();
      },
      close: async () => {
        this.closed++;
      },
    };
    return { destination, limits: this.limits };
  }

  async #take(batch: readonly LoggedEvent[], signal: AbortSignal, accepted?: () => void): Promise<Outcome> {
    const ids = batch.map((event) => event.id);
    this.sends.push(ids);
    const aborted = Promise.withResolvers<Outcome>();
    const give = (): void => aborted.resolve({ kind: 'retry', cause: 'unreachable', reason: 'aborted' });
    signal.addEventListener('abort', give, { once: true });
    const outcome = await Promise.race([
      (async () => this.answer(ids, signal, accepted ?? (() => {})))(),
      aborted.promise,
    ]).finally(() => signal.removeEventListener('abort', give));
    const taken = new Set(outcome.kind === 'delivered' ? ids : outcome.taken);
    if (outcome.kind === 'partial') {
      const kept = new Set([...outcome.rejected.map(({ id }) => id), ...outcome.again]);
      for (const id of ids) if (!kept.has(id)) taken.add(id);
    }
    this.received.push(...ids.filter((id) => taken.has(id)));
    return outcome;
  }
}

/** Delivery over a real database with a clock of the test's own. */
export class DeliveryRig {
  readonly folder = mkdtempSync(join(tmpdir(), 'delivery-'));
  readonly clock = new TestClock();
  readonly siems = new Map<string, Siem>();
  readonly logged: string[] = [];
  /** The states shown when delivery said that they had changed. */
  readonly states: Promise<string>[] = [];
  reads: { after: number; events: number }[] = [];
  settleError: Error | null = null;
  store: SqliteStore = this.#openStore();
  delivery: RunningDelivery = this.#create();
  #made = 0;

  #openStore(): SqliteStore {
    return openSqliteStore({ folder: this.folder, clock: this.clock, defaultRetentionDays: 365, patienceMs: 0 });
  }

  #create(): RunningDelivery {
    const { log, destinations } = this.store;
    const read: EventLog['read'] = async (team, after, limit) => {
      const events = await log.read(team, after, limit);
      if (limit.events === LIMITS.batchEvents) this.reads.push({ after, events: events.length });
      return events;
    };
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: (_, message) => this.logged.push(message),
      error: (_, message) => this.logged.push(message),
      child: () => logger,
    };
    return createDelivery({
      log: Object.assign(Object.create(log) as EventLog, { read }),
      store: {
        ...destinations,
        settle: (...all) => (this.settleError ? Promise.reject(this.settleError) : destinations.settle(...all)),
      },
      openDestination: (stored) => this.siem(stored.id).open(),
      clock: this.clock,
      random: () => 0.5,
      logger,
      onStateChanged: (id) => this.states.push(this.delivery.health(id).then(({ state }) => state)),
    });
  }

  siem(id: string): Siem {
    const siem = this.siems.get(id) ?? new Siem();
    this.siems.set(id, siem);
    return siem;
  }

  async add(id: string, change: Partial<NewDestination> = {}): Promise<Siem> {
    const { now } = { now: this.clock.now() };
    const filter = { categories: null, eventTypes: null, newCategories: true };
    await this.delivery.create(
      {
        ...{ id, team: TEAM, kind: 'splunk', name: id, settings: {}, sealed: {}, filter, startAt: 'beginning' },
        ...{ parallel: 1, lingerMs: 0, createdAt: now, updatedAt: now, ...change },
      },
      [],
    );
    return this.siem(id);
  }

  /** Appends events and returns their ids. */
  async append(count: number, eventCategory = 'authentication', timestamp = this.clock.now()): Promise<string[]> {
    const events = Array.from({ length: count }, (): NewEvent => {
      const id = `e${++this.#made}`;
      const at = new Date(timestamp).toISOString();
      const json = `{"timestamp":"${at}","id":"${id}","eventType":"auth.logout","eventCategory":"${eventCategory}"}`;
      return { team: TEAM, id, eventType: 'auth.logout', eventCategory, timestamp, hash: id, json };
    });
    await this.store.log.append(events);
    return events.map((event) => event.id);
  }

  async counts(id: string) {
    const { counts, state } = await this.delivery.health(id);
    expect(counts.matched, 'matched = delivered + dead letters + pending').toBe(
      counts.delivered + counts.deadLettered + counts.pending,
    );
    return { ...counts, state };
  }

  /** Lets the time come at which the destination is tried again. */
  async untilNextTry(id: string): Promise<void> {
    let at: number | null = null;
    await until(async () => {
      at = (await this.delivery.health(id)).nextAttemptAt;
      return at !== null;
    });
    await this.clock.advance(at! - this.clock.now());
  }

  /** As after the process died: what is in flight is dropped, what is not durable is forgotten. */
  async restart(): Promise<void> {
    await this.delivery.stop(AbortSignal.abort());
    await this.store.close();
    this.store = this.#openStore();
    this.delivery = this.#create();
    await this.delivery.start();
  }

  async ownEvents(): Promise<{ description: string; metadata: { suppressedChanges?: number } }[]> {
    const events = await this.store.log.read(TEAM, 0, { events: 100_000, bytes: 1e9 });
    return events
      .filter((event) => event.eventType === 'siem.destination.state_changed')
      .map((event) => JSON.parse(event.json) as { description: string; metadata: { suppressedChanges?: number } });
  }

  async close(): Promise<void> {
    await this.delivery.stop(AbortSignal.abort());
    await this.store.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Waits for a condition, letting everything else run. Fails after 15 s of real time. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${isTrue}`);
    await setImmediate();
  }
}

/** Lets everything that could happen without time passing happen. */
export async function settle(turns = 60): Promise<void> {
  for (let i = 0; i < turns; i++) await setImmediate();
}

/** An answer that the test gives later. */
export function later(): { promise: Promise<Outcome>; resolve: (outcome: Outcome) => void } {
  return Promise.withResolvers<Outcome>();
}
