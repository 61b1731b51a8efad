import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { TestClock } from '../../test/rig/test-clock.ts';
import type { Destination, DestinationLimits, Outcome } from '../destinations/destination.ts';
import type { LoggedEvent, NewEvent } from '../event/logged-event.ts';
import { type EventLog, StoreUnavailable } from '../store/event-log.ts';
import { openSqliteStore, type SqliteStore } from '../store/sqlite/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createDelivery, type RunningDelivery } from './deliver.ts';
import type { NewDestination } from './delivery.ts';

const TEAM = 'acme';
const LIMITS: DestinationLimits = { batchEvents: 100, batchBytes: 1_000_000, eventBytes: 100_000, overheadBytes: 100 };
const DELIVERED: Outcome = { kind: 'delivered' };
const REFUSED: Outcome = { kind: 'refused', reason: 'Invalid data format', status: 400, answer: 'no' };
const BAD_TOKEN: Outcome = { kind: 'misconfigured', cause: 'credential', reason: 'Token refused', fix: 'Replace it' };

/** A destination that answers as the test says and remembers what it took. */
class Siem {
  limits = LIMITS;
  readonly received: string[] = [];
  readonly sends: string[][] = [];
  prepared = 0;
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
    const aborted = new Promise<Outcome>((resolve) => {
      const give = (): void => resolve({ kind: 'retry', cause: 'unreachable', reason: 'aborted' });
      signal.addEventListener('abort', give, { once: true });
    });
    const outcome = await Promise.race([this.answer(ids, signal, accepted ?? (() => {})), aborted]);
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
class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'delivery-'));
  readonly clock = new TestClock();
  readonly siems = new Map<string, Siem>();
  readonly logged: string[] = [];
  reads: { after: number; events: number }[] = [];
  settleError: Error | null = null;
  store: SqliteStore = this.#openStore();
  delivery: RunningDelivery = this.#create();
  #made = 0;

  #openStore(): SqliteStore {
    return openSqliteStore({ folder: this.folder, clock: this.clock, defaultRetentionDays: 365 });
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
        settle: (settlement) => (this.settleError ? Promise.reject(this.settleError) : destinations.settle(settlement)),
      },
      openDestination: (stored) => this.siem(stored.id).open(),
      clock: this.clock,
      random: () => 0.5,
      logger,
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

let rig: Rig;
afterEach(() => rig.close());

async function started(): Promise<Rig> {
  rig = new Rig();
  await rig.delivery.start();
  return rig;
}

/** Waits for a condition, letting everything else run; the test's own time limit ends it. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await setImmediate();
}

/** Lets everything that could happen without time passing happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 60; i++) await setImmediate();
}

/** An answer that the test gives later. */
function later(): { promise: Promise<Outcome>; resolve: (outcome: Outcome) => void } {
  return Promise.withResolvers<Outcome>();
}

describe('delivering', () => {
  it('sends at once, and idle neither reads nor holds a timer', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    const [first] = await rig.append(1);
    await until(() => siem.received.length > 0);
    expect(siem.received[0]).toBe(first);
    // The destination's own "connected" event follows.
    await until(() => siem.received.length === 2);
    await until(async () => (await rig.counts('a')).pending === 0);
    await settle();
    const reads = rig.reads.length;
    await settle();
    expect(rig.reads.length).toBe(reads);
    expect(rig.clock.sleeping).toBe(0);
    expect(await rig.counts('a')).toMatchObject({ state: 'connected', matched: 2, delivered: 2 });
  });

  it('gathers what comes while a batch is in flight, and prepares only whole batches ahead', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    await rig.append(3);
    await rig.append(4);
    await settle();
    expect(siem.prepared).toBe(1);
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(() => siem.received.length >= 8);
    expect(siem.sends[1]!.length).toBeGreaterThanOrEqual(7);
  });

  it('waits `lingerMs` for a batch to fill', async () => {
    const rig = await started();
    const siem = await rig.add('a', { lingerMs: 1_000 });
    await rig.append(1);
    await until(() => rig.clock.sleeping > 0);
    await rig.clock.advance(600);
    await rig.append(1);
    await settle();
    expect(siem.sends).toEqual([]);
    await rig.clock.advance(400);
    await until(() => siem.sends.length === 1);
    expect(siem.sends[0]).toEqual(['e1', 'e2']);
  });

  it('keeps memory bounded however much waits, and counts all of it', async () => {
    const rig = await started();
    await rig.append(5_000);
    const answer = later();
    const siem = await rig.add('a');
    siem.answer = () => answer.promise;
    await until(async () => (await rig.counts('a')).pending === 5_000);
    await settle();
    const read = rig.reads.filter(({ after }) => after < 5_000).reduce((sum, { events }) => sum + events, 0);
    expect(read).toBeLessThanOrEqual(4 * LIMITS.batchEvents);
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(async () => (await rig.counts('a')).delivered >= 5_000);
    expect(new Set(siem.received).size).toBe(siem.received.length);
    expect(siem.received.slice(0, 5_000)).toEqual(Array.from({ length: 5_000 }, (_, i) => `e${i + 1}`));
  });

  it('is not slowed by another destination that hangs', async () => {
    const rig = await started();
    const hanging = await rig.add('hanging');
    hanging.answer = () => later().promise;
    const well = await rig.add('well');
    await rig.append(500);
    await until(() => well.received.length >= 500);
    expect(hanging.received).toEqual([]);
    await until(async () => (await rig.counts('hanging')).pending >= 500);
  });

  it('sends several batches at once when it may, and passes none that is not settled', async () => {
    const rig = await started();
    await rig.append(400);
    const answers = new Map<string, ReturnType<typeof later>>();
    const siem = rig.siem('a');
    siem.answer = (ids) => {
      const answer = later();
      answers.set(ids[0]!, answer);
      return answer.promise;
    };
    await rig.add('a', { parallel: 3 });
    await until(() => answers.size === 3);
    answers.get('e101')!.resolve(DELIVERED);
    answers.get('e201')!.resolve(DELIVERED);
    await until(async () => (await rig.store.destinations.progress('a'))!.delivered === 200);
    expect((await rig.store.destinations.progress('a'))!.cursor).toBe(0);
    siem.answer = () => DELIVERED;
    await rig.restart();
    await until(async () => (await rig.counts('a')).delivered >= 400);
    expect(siem.received.filter((id) => id === 'e150')).toHaveLength(1);
    expect(new Set(siem.received).size).toBe(siem.received.length);
  });

  it('sends on while accepted batches await their outcome', async () => {
    const rig = await started();
    await rig.append(400);
    const siem = rig.siem('a');
    siem.limits = { ...LIMITS, awaiting: 3 };
    const answer = later();
    siem.answer = (_ids, _signal, accepted) => {
      accepted();
      return answer.promise;
    };
    await rig.add('a');
    await until(() => siem.sends.length === 3);
    await settle();
    expect(siem.sends.length).toBe(3);
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(async () => (await rig.counts('a')).delivered >= 400);
  });
});

describe('when a destination fails', () => {
  it('keeps everything, backs off, and sends the same body again', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'retry', cause: 'unreachable', reason: 'connection refused' });
    await rig.append(3);
    await until(() => siem.sends.length === 1);
    await until(async () => (await rig.counts('a')).state === 'disconnected');
    const health = await rig.delivery.health('a');
    expect(health).toMatchObject({ cause: 'connection refused', nextAttemptAt: rig.clock.now() + 500 });
    await rig.clock.advance(499);
    expect(siem.sends.length).toBe(1);
    siem.answer = () => DELIVERED;
    await rig.clock.advance(1);
    await until(() => siem.received.length >= 3);
    expect(siem.sends[1]).toEqual(siem.sends[0]);
    expect(siem.prepared - siem.sends.length).toBe(-1);
    await until(async () => (await rig.counts('a')).state === 'connected');
  });

  it('waits at least as long as it was asked to', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'throttled', reason: 'busy', retryAfterMs: 120_000 });
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'throttled');
    siem.answer = () => DELIVERED;
    await rig.clock.advance(119_999);
    expect(siem.sends.length).toBe(1);
    await rig.clock.advance(1);
    await until(() => siem.received.length > 0);
  });

  it('dead-letters what is refused alone, delivers the rest, and redrives with exact counts', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    siem.answer = (ids) => (ids.includes('e7') ? REFUSED : DELIVERED);
    await rig.append(20);
    await until(async () => (await rig.counts('a')).deadLettered === 1);
    await until(async () => (await rig.counts('a')).pending === 0);
    expect(siem.received).not.toContain('e7');
    const { items } = await rig.delivery.deadLetters('a', { limit: 10 });
    expect(items).toMatchObject([{ id: 'e7', sequence: 7, reason: 'Invalid data format', status: 400, answer: 'no' }]);

    expect(await rig.delivery.redrive('a', ['e7', 'e8'], [])).toBe(1);
    await until(async () => (await rig.counts('a')).deadLettered === 1);
    siem.answer = () => DELIVERED;
    expect(await rig.delivery.redrive('a', null, [])).toBe(1);
    await until(async () => (await rig.counts('a')).deadLettered === 0 && (await rig.counts('a')).pending === 0);
    expect(siem.received.filter((id) => id === 'e7')).toHaveLength(1);
    expect((await rig.delivery.deadLetters('a', { limit: 10 })).items).toEqual([]);
  });

  it('holds on a bad credential, survives a restart, and resumes after an edit', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => BAD_TOKEN;
    siem.check = () => BAD_TOKEN;
    await rig.append(5);
    await until(async () => (await rig.counts('a')).state === 'authentication_failed');
    expect(await rig.delivery.health('a')).toMatchObject({ cause: 'Token refused', fix: 'Replace it' });
    await rig.restart();
    await until(() => siem.checks === 1);
    expect(await rig.counts('a')).toMatchObject({ state: 'authentication_failed', deadLettered: 0, delivered: 0 });
    expect(siem.sends.length).toBe(1);
    // The first re-check after the restart failed; later ones come slowly.
    await until(async () => (await rig.delivery.health('a')).nextAttemptAt === rig.clock.now() + 30_000);
    await rig.clock.advance(30_000);
    await until(() => siem.checks === 2);
    siem.answer = () => DELIVERED;
    siem.check = () => DELIVERED;
    await rig.delivery.update('a', { settings: { token: 'new' }, updatedAt: rig.clock.now() }, []);
    await until(async () => (await rig.counts('a')).state === 'connected');
    await until(async () => (await rig.counts('a')).pending === 0);
    const { items } = await rig.delivery.attempts('a', { limit: 50 });
    expect(items.filter((attempt) => attempt.kind === 'check').map((attempt) => attempt.outcome)).toEqual([
      'delivered',
      'misconfigured',
      'misconfigured',
    ]);
  });

  it('takes ten refusals in a row for a wrong setting: holds, loses nothing, and probes with one event', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.limits = { ...LIMITS, batchEvents: 1 };
    await rig.delivery.update('a', { settings: {}, updatedAt: 0 }, []);
    siem.answer = () => REFUSED;
    await rig.append(12);
    await until(async () => (await rig.counts('a')).state === 'misconfigured');
    await until(async () => (await rig.counts('a')).pending >= 12);
    expect(await rig.counts('a')).toMatchObject({ deadLettered: 0, delivered: 0 });
    const sends = siem.sends.length;
    expect(sends).toBe(10);
    for (let checks = 1; checks <= 3; checks++) {
      await rig.untilNextTry('a');
      await until(() => siem.sends.length === sends + checks);
      expect(siem.sends.at(-1)).toHaveLength(1);
    }
    expect(siem.checks).toBe(0);
    expect(await rig.counts('a')).toMatchObject({ state: 'misconfigured', deadLettered: 0 });
    siem.answer = () => DELIVERED;
    await rig.untilNextTry('a');
    await until(async () => (await rig.counts('a')).pending === 0);
    expect(new Set(siem.received).size).toBe(siem.received.length);
    for (let i = 1; i <= 12; i++) expect(siem.received).toContain(`e${i}`);
  });

  it('counts a run of refusals only while nothing is delivered between', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = (ids) => ({
      kind: 'partial',
      rejected: ids.filter((id) => id !== 'e20').map((id) => ({ id, reason: 'mapping' })),
      again: [],
      reason: '19 of 20 rejected',
    });
    await rig.append(20);
    await until(async () => (await rig.counts('a')).deadLettered >= 19);
    expect((await rig.counts('a')).state).toBe('connected');
  });

  it('holds a destination that cannot be opened, says why, and tries again slowly', async () => {
    const rig = await started();
    const siem = rig.siem('a');
    const { open } = Siem.prototype;
    siem.open = () => {
      throw new Error('sealed under another master key');
    };
    await rig.add('a');
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'misconfigured');
    expect((await rig.delivery.health('a')).cause).toBe('sealed under another master key');
    siem.open = open;
    await rig.untilNextTry('a');
    await until(() => siem.received.length > 0);
  });

  it('survives a bug in a destination: keeps all, says so, tries again', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => {
      throw new TypeError('undefined is not a function');
    };
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'retrying');
    expect((await rig.delivery.health('a')).cause).toContain('internal error');
    expect(rig.logged).toContain('internal error while sending or checking');
    siem.answer = () => DELIVERED;
    await rig.untilNextTry('a');
    await until(() => siem.received.length > 0);
  });

  it('does not send again what it could not write down, and goes on when the store can write', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    rig.settleError = new StoreUnavailable('storage_full', 'the disk is full');
    await rig.append(250);
    await until(() => rig.logged.includes('progress cannot be written; sending waits until it can'));
    await settle();
    rig.settleError = null;
    await rig.clock.advance(30_000);
    await until(async () => (await rig.counts('a')).delivered >= 250);
    expect(new Set(siem.received).size).toBe(siem.received.length);
  });

  it('starts a lane again from what is durable after a bug of its own', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    rig.settleError = new TypeError('a bug');
    await rig.append(3);
    await until(() => rig.logged.some((line) => line.includes('starts again')));
    rig.settleError = null;
    await rig.clock.advance(300_000);
    await until(async () => (await rig.counts('a')).delivered >= 3);
    expect(siem.received.filter((id) => id === 'e1')).toHaveLength(2);
  });
});

describe('commands', () => {
  it('pauses after what is in flight, counts on, and sends everything on resume', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(2);
    await until(() => siem.sends.length === 1);
    await rig.delivery.pause('a', 'ana@acme.com', []);
    await rig.append(10, 'gateway');
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(async () => (await rig.counts('a')).delivered > 0);
    await until(async () => (await rig.counts('a')).matched >= 12);
    await settle();
    expect(siem.sends.length).toBe(1);
    expect(await rig.delivery.health('a')).toMatchObject({ state: 'paused', cause: 'Paused by ana@acme.com' });
    await rig.restart();
    expect((await rig.counts('a')).state).toBe('paused');
    await rig.delivery.resume('a', []);
    await until(async () => (await rig.counts('a')).pending === 0);
    expect(new Set(siem.received).size).toBe(siem.received.length);
    expect(siem.received.filter((id) => id.startsWith('e'))).toHaveLength(12);
  });

  it('filters from the next event on; what waits keeps the filter under which it matched', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    await rig.delivery.pause('a', 'ana', []);
    await rig.append(3, 'gateway');
    const filter = { categories: ['authentication'], eventTypes: null, newCategories: false };
    await rig.delivery.update('a', { filter, updatedAt: 1 }, []);
    await rig.append(4, 'gateway');
    await rig.append(2, 'authentication');
    await until(async () => (await rig.counts('a')).filtered >= 4);
    await rig.delivery.resume('a', []);
    await until(() => siem.received.length === 5);
    expect(siem.received).toEqual(['e1', 'e2', 'e3', 'e8', 'e9']);
    expect(await rig.delivery.deliveriesOf(TEAM, 'e4')).toMatchObject([{ status: 'filtered' }]);
  });

  it('removes a destination in mid-flight', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    let isAborted = false;
    siem.answer = (_, signal) => {
      signal.addEventListener('abort', () => {
        isAborted = true;
      });
      return later().promise;
    };
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    await rig.delivery.remove('a', []);
    expect({ isAborted, closed: siem.closed }).toEqual({ isAborted: true, closed: 1 });
    await expect(rig.delivery.health('a')).rejects.toMatchObject({ code: 'not_found' });
    expect(await rig.delivery.list(TEAM)).toEqual([]);
  });

  it('replays a range apart from the cursor and the counts', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    const from = rig.clock.now();
    await rig.append(250);
    await rig.clock.advance(60_000);
    const to = rig.clock.now();
    await rig.append(5);
    await until(async () => (await rig.counts('a')).pending === 0 && siem.received.includes('e255'));
    const before = await rig.counts('a');
    const dry = await rig.delivery.countReplay('a', from, to);
    siem.answer = (ids) => (ids.includes('e9') ? REFUSED : DELIVERED);
    const replay = await rig.delivery.replay('a', from, to, []);
    expect(replay).toMatchObject({ ...dry, status: 'running' });
    await until(async () => (await rig.delivery.replays('a'))[0]!.status === 'done');
    expect(await rig.delivery.replays('a')).toMatchObject([{ delivered: dry.events - 1, rejected: 1 }]);
    expect(await rig.counts('a')).toEqual(before);
    expect(siem.received.filter((id) => id === 'e250')).toHaveLength(2);
    expect(siem.received.filter((id) => id === 'e251')).toHaveLength(1);
  });

  it('goes on with a replay after a restart, lets new events through, and can cancel it', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    await rig.append(500);
    await until(async () => (await rig.counts('a')).pending === 0 && siem.received.includes('e500'));
    const held = later();
    siem.answer = () => held.promise;
    await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    const sent = siem.sends.length;
    await until(() => siem.sends.length > sent);
    siem.answer = () => DELIVERED;
    await rig.restart();
    await rig.append(1);
    await until(async () => (await rig.delivery.replays('a'))[0]!.status === 'done');
    await until(() => siem.received.includes('e501'));
    expect(siem.received.filter((id) => id === 'e1')).toHaveLength(2);

    siem.answer = () => later().promise;
    const second = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    const third = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    expect(await rig.delivery.cancelReplay('a', third.id)).toBe(true);
    expect(await rig.delivery.cancelReplay('a', second.id)).toBe(true);
    expect(await rig.delivery.cancelReplay('a', second.id)).toBe(false);
    expect((await rig.delivery.replays('a')).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'done']);
  });

  it('re-checks a held destination at once after a test by hand that worked', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => BAD_TOKEN;
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'authentication_failed');
    siem.answer = () => DELIVERED;
    const attempt = { at: rig.clock.now(), kind: 'test', firstSequence: 0, lastSequence: 0, events: 1 } as const;
    const measured = { delivered: 1, bytes: 1, durationMs: 1, status: 200, reason: null, answer: null } as const;
    await rig.delivery.tested('a', { ...attempt, ...measured, outcome: 'delivered' }, []);
    await until(async () => (await rig.counts('a')).state === 'connected');
    expect((await rig.counts('a')).delivered).toBeGreaterThan(0);
  });

  it('are obeyed without anything being sent when delivery was never started', async () => {
    rig = new Rig();
    const siem = await rig.add('a');
    await rig.append(3);
    await rig.delivery.pause('a', 'ana', []);
    await rig.delivery.resume('a', []);
    await settle();
    expect({ sends: siem.sends, reads: rig.reads }).toEqual({ sends: [], reads: [] });
    await rig.delivery.start();
    await until(() => siem.received.length >= 3);
  });
});

describe('what is told', () => {
  it('says where each event stands', async () => {
    const rig = await started();
    await rig.append(1);
    const siem = await rig.add('a', { startAt: 'now' });
    siem.answer = (ids) => (ids.includes('e3') ? REFUSED : DELIVERED);
    await rig.append(2);
    await until(async () => (await rig.counts('a')).deadLettered === 1 && (await rig.counts('a')).pending === 0);
    await rig.delivery.pause('a', 'ana', []);
    await rig.append(1);
    const of = async (id: string) => (await rig.delivery.deliveriesOf(TEAM, id))?.[0];
    expect(await of('e1')).toMatchObject({ status: 'before_start' });
    expect(await of('e2')).toMatchObject({ status: 'delivered', attempt: { kind: 'delivery', outcome: 'delivered' } });
    expect(await of('e3')).toMatchObject({ status: 'dead_letter', reason: 'Invalid data format' });
    expect(await of('e4')).toMatchObject({ status: 'pending' });
    expect(await of('none')).toBeUndefined();
    expect(await rig.delivery.totals()).toMatchObject([{ kind: 'splunk', state: 'paused', destinations: 1 }]);
  });

  it('tells each state at most once a minute, counts what it kept back, and ends with the state that is', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
    await rig.append(1);
    for (let i = 0; i < 3; i++) {
      await until(async () => (await rig.counts('a')).state === 'retrying');
      siem.answer = () => DELIVERED;
      await rig.untilNextTry('a');
      await until(async () => (await rig.counts('a')).state === 'connected');
      await until(async () => (await rig.counts('a')).pending === 0);
      siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
      await rig.append(1);
    }
    await until(async () => (await rig.counts('a')).state === 'retrying');
    siem.answer = () => later().promise;
    const told = async () => (await rig.ownEvents()).map((event) => event.description.replace(/.*→ /, ''));
    expect(await told()).toEqual(['retrying', 'connected']);
    siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
    await rig.clock.advance(60_000);
    await until(async () => (await told()).length === 3);
    expect((await rig.ownEvents())[2]).toMatchObject({ metadata: { suppressedChanges: 4 } });
    expect(await told()).toEqual(['retrying', 'connected', 'retrying']);
  });

  it('warns once before the oldest waiting event leaves the time window of the SIEM', async () => {
    const rig = await started();
    const siem = rig.siem('a');
    siem.limits = { ...LIMITS, maxAgeMs: 1_000_000 };
    await rig.add('a');
    await rig.delivery.pause('a', 'ana', []);
    await rig.append(1);
    await until(async () => (await rig.counts('a')).pending === 1);
    expect((await rig.delivery.health('a')).warning).toBeNull();
    expect(await rig.ownEvents()).toEqual([]);
    await rig.clock.advance(800_000);
    await until(async () => (await rig.ownEvents()).length === 1);
    expect((await rig.delivery.health('a')).warning).toContain('leaves the time window');
    expect((await rig.delivery.health('a')).lag).toEqual({ events: 2, seconds: 800 });
    await rig.clock.advance(900_000);
    expect((await rig.delivery.health('a')).warning).toContain('left the time window');
    expect(await rig.ownEvents()).toHaveLength(1);
  });

  it('says how far a team is settled everywhere, from what is durable', async () => {
    const rig = await started();
    await rig.append(10);
    expect(await rig.delivery.settledThrough(TEAM)).toBe(10);
    await rig.add('paused');
    await rig.delivery.pause('paused', 'ana', []);
    await rig.add('b');
    await until(async () => (await rig.counts('b')).delivered >= 10);
    expect(await rig.delivery.settledThrough(TEAM)).toBe(0);
    await rig.delivery.remove('paused', []);
    await until(async () => (await rig.delivery.settledThrough(TEAM)) >= 10);
  });

  it('writes counts down when it stops and lets what is in flight end', async () => {
    const rig = await started();
    const filter = { categories: [], eventTypes: null, newCategories: false };
    await rig.add('none', { filter });
    const siem = await rig.add('a', { startAt: 'now' });
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(7);
    await until(() => siem.sends.length === 1);
    await until(async () => (await rig.counts('none')).filtered === 7);
    const stopped = rig.delivery.stop();
    answer.resolve(DELIVERED);
    await stopped;
    expect(await rig.store.destinations.progress('a')).toMatchObject({ delivered: 7, cursor: 7 });
    expect(await rig.store.destinations.progress('none')).toMatchObject({ filtered: 7, cursor: 7 });
    expect(siem.closed).toBe(1);
    await expect(rig.delivery.pause('a', 'ana', [])).resolves.toBeUndefined();
  });

  it('gives up what hangs when it has to stop', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => later().promise;
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    const stopped = rig.delivery.stop();
    await settle();
    await rig.clock.advance(5_000);
    await stopped;
    const progress = (await rig.store.destinations.progress('a')) as { delivered: number };
    expect(progress.delivered).toBe(0);
  });
});
