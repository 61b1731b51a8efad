import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { createDelivery, type RunningDelivery } from '../../../src/delivery/deliver.ts';
import type { Health } from '../../../src/delivery/delivery.ts';
import { destinationOpener, type OpenDestination, secretOwner } from '../../../src/delivery/open-destination.ts';
import { destinationKinds } from '../../../src/destinations/registry.ts';
import { parseSettings, splitSecrets } from '../../../src/destinations/settings.ts';
import type { LoggedEvent, NewEvent } from '../../../src/event/logged-event.ts';
import { createOpenOutbound } from '../../../src/outbound/open-outbound.ts';
import type { OpenOutbound } from '../../../src/outbound/outbound.ts';
import { SecretBox } from '../../../src/secrets.ts';
import type { DeadLetter, StoredDestination } from '../../../src/store/destinations.ts';
import { openSqliteStore, type SqliteStore } from '../../../src/store/sqlite/store.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { eventually } from '../../rig/events.ts';
import { temporaryFolder } from '../../rig/service.ts';
import { TestClock } from '../../rig/test-clock.ts';
import type { Events } from './row.ts';

const DAY_MS = 86_400_000;
const GIVES_UP_AFTER_MS = 30_000;
/** Turns without a request under way after which only time can bring more. */
const CALM_TURNS = 25;

export interface NewLane {
  readonly team: string;
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly configuredAgoMs?: number;
  /** Own events (state changes) are delivered too, as in life; else the lane carries only what `append` appended. */
  readonly withOwnEvents?: boolean;
}

/** The real store, delivery and destinations over real sockets, on a clock that moves when nothing else can happen. */
export class AnswersRig {
  readonly clock = new TestClock();
  /** What was logged of bugs. */
  readonly bugs: string[] = [];
  /** Hears of each change of a destination's state. */
  noticed: (destination: string) => void = () => {};
  /** Applies to destinations opened from then on. */
  answerTimeoutMs: number | undefined;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #secretBox = new SecretBox(Buffer.alloc(32, 7));
  readonly #random: () => number;
  #underWay = 0;
  #made = 0;
  store: SqliteStore;
  delivery: RunningDelivery;

  private constructor(folder: Awaited<ReturnType<typeof temporaryFolder>>, random: () => number) {
    this.#folder = folder;
    this.#random = random;
    this.store = this.#openStore();
    this.delivery = this.#createDelivery();
  }

  static async start(random: () => number = () => 0.5): Promise<AnswersRig> {
    const rig = new AnswersRig(await temporaryFolder(), random);
    await rig.delivery.start();
    return rig;
  }

  async add(id: string, { team, kind: name, settings, configuredAgoMs, withOwnEvents }: NewLane): Promise<void> {
    const kind = destinationKinds.find((one) => one.kind === name);
    assert.ok(kind, name);
    const parsed = parseSettings(kind, settings);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const { open, secrets } = splitSecrets(kind, parsed.settings);
    const sealed = Object.entries(secrets).map(([key, secret]) => [
      key,
      this.#secretBox.seal(secret, secretOwner(id, key)),
    ]);
    const configuredAt = this.clock.now() - (configuredAgoMs ?? DAY_MS);
    await this.delivery.create(
      {
        ...{ id, team, kind: name, name: id, settings: open, sealed: Object.fromEntries(sealed) },
        filter: { categories: withOwnEvents ? null : ['authentication'], eventTypes: null, newCategories: false },
        ...{ startAt: 'beginning', parallel: 1, lingerMs: 0, createdAt: configuredAt, updatedAt: configuredAt },
      },
      [],
    );
  }

  /** Appends events and returns their ids, in sequence order. */
  async append(team: string, count: number, { padding = 100, ageMs = 0, actorId = 'usr_1' }: Events = {}) {
    const events = Array.from({ length: count }, (): NewEvent => {
      const id = `evt-${String(++this.#made).padStart(8, '0')}`;
      const timestamp = this.clock.now() - ageMs;
      const json = JSON.stringify({
        timestamp: new Date(timestamp).toISOString(),
        id,
        version: '1.0',
        eventType: 'auth.login.failure',
        eventCategory: 'authentication',
        status: 'failure',
        description: `Équipe ${id}: ${'a wrong password '.repeat(padding / 17)}`,
        actor: { id: actorId, email: 'user@acme.example', type: 'user' },
        context: { ipAddress: '203.0.113.7', teamId: team },
      });
      const type = { eventType: 'auth.login.failure', eventCategory: 'authentication' };
      return { team, id, ...type, timestamp, hash: id, json };
    });
    await this.store.log.append(events);
    return events.map(({ id }) => id);
  }

  /** Ids of all events of a team, own ones included, in sequence order. */
  async logOf(team: string): Promise<string[]> {
    return (await this.store.log.read(team, 0, { events: 1_000_000, bytes: 1e9 })).map(({ id }) => id);
  }

  /** The list, once it is as long as the counter says: what counts already may be on its way to the disk. */
  async deadLetters(id: string): Promise<readonly DeadLetter[]> {
    const listed = async () => (await this.delivery.deadLetters(id, { limit: 10_000 })).items;
    const { deadLettered } = (await this.delivery.health(id)).counts;
    return eventually(async () => {
      const items = (await listed()).filter(({ redriving }) => !redriving);
      assert.equal(items.length, deadLettered, 'dead letters and their counter');
      return items;
    }, GIVES_UP_AFTER_MS);
  }

  /**
   * How the lane stands when it rests: all settled, or waiting for its next try. Time moves only when nothing is under
   * way, and not past that try.
   */
  async rest(id: string, team: string): Promise<Health> {
    const deadline = performance.now() + GIVES_UP_AFTER_MS;
    for (let calm = 0; ; calm++) {
      const health = await this.look(id, team);
      const { matched, filtered, pending } = health.counts;
      const { last } = await this.store.log.bounds(team);
      const isCounted = matched + filtered === last;
      if (this.#underWay === 0 && isCounted && (pending === 0 || health.nextAttemptAt !== null)) return health;
      if (this.#underWay > 0) calm = 0;
      const due = this.clock.nextDueAt;
      if (calm > CALM_TURNS && due !== null && health.nextAttemptAt === null) {
        await this.clock.advance(due - this.clock.now());
        calm = 0;
      }
      if (performance.now() > deadline) throw new Error(`${id} does not come to rest: ${JSON.stringify(health)}`);
      await setImmediate();
    }
  }

  /** Health as anybody may ask for it at any moment: its counters must hold. */
  async look(id: string, team: string): Promise<Health> {
    const health = await this.delivery.health(id);
    const { matched, filtered, delivered, deadLettered, pending } = health.counts;
    const { last } = await this.store.log.bounds(team);
    const all = [matched, filtered, delivered, deadLettered, pending];
    if (matched !== delivered + deadLettered + pending || matched + filtered > last || all.some((n) => n < 0))
      throw new Error(`the counters are not exact: ${JSON.stringify(health.counts)} of ${last} events`);
    return health;
  }

  /** Lets what could happen without time passing happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < CALM_TURNS || this.#underWay > 0; turn++) await setImmediate();
  }

  /** Lets time pass and rests again, until nothing waits. */
  async drain(id: string, team: string, tries = 400): Promise<Health> {
    for (let i = 0; i < tries; i++) {
      const health = await this.rest(id, team);
      if (health.counts.pending === 0) return health;
      await this.clock.advance(Math.max(1, health.nextAttemptAt! - this.clock.now()));
    }
    throw new Error(`${id} does not drain: ${JSON.stringify(await this.delivery.health(id))}`);
  }

  /** As after the process died: what is in flight is dropped, what is not durable is forgotten. `meanwhile` sees what is durable. */
  async restart<T>(meanwhile: () => Promise<T>): Promise<T> {
    await this.delivery.stop(AbortSignal.abort());
    await this.store.close();
    this.store = this.#openStore();
    const seen = await meanwhile();
    this.delivery = this.#createDelivery();
    await this.delivery.start();
    return seen;
  }

  async close(): Promise<void> {
    await this.delivery.stop(AbortSignal.abort());
    await this.store.close();
    await this.#folder.remove();
  }

  #openStore(): SqliteStore {
    return openSqliteStore({ folder: this.#folder.path, clock: this.clock, defaultRetentionDays: 365, patienceMs: 0 });
  }

  #createDelivery(): RunningDelivery {
    const { log, destinations: store } = this.store;
    const { clock, bugs } = this;
    const logger: Logger = {
      ...{ debug: () => {}, info: () => {}, warn: () => {} },
      error: (fields, message) => void bugs.push(`${message}: ${'err' in fields ? String(fields.err) : ''}`),
      child: () => logger,
    };
    const open = destinationOpener({
      ...{ kinds: destinationKinds, secretBox: this.#secretBox, clock, brand: 'Acme' },
      openOutbound: this.#watched(createOpenOutbound({ network: 'any', allowHttp: true })),
    });
    const openDestination = (stored: StoredDestination): OpenDestination => {
      const { destination, limits } = open(stored);
      // Compressing goes on beside the turns of the loop.
      const prepare = (batch: readonly LoggedEvent[]) => this.#watch(destination.prepare(batch));
      return { destination: { ...destination, prepare }, limits };
    };
    const onStateChanged = (id: string): void => this.noticed(id);
    return createDelivery({ log, store, openDestination, clock, random: this.#random, logger, onStateChanged });
  }

  #watched(open: OpenOutbound): OpenOutbound {
    return (options) => {
      const outbound = open({ ...options, answerTimeoutMs: this.answerTimeoutMs });
      return {
        request: (request, signal) => this.#watch(outbound.request(request, signal)),
        probe: (url, signal) => this.#watch(outbound.probe(url, signal)),
        close: () => outbound.close(),
      };
    };
  }

  /** Counts what is under way. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work;
    } finally {
      this.#underWay--;
    }
  }
}
