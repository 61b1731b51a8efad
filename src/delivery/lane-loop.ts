import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Destination, DestinationLimits, Outcome, PreparedBatch } from '../destinations/destination.ts';
import type { NewEvent } from '../event/logged-event.ts';
import type { Attempt, DestinationStore, Progress, StoredDestination } from '../store/destinations.ts';
import { type EventLog, StorageDamaged } from '../store/event-log.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AtMost } from './at-most.ts';
import { attemptOf, INTERNAL_ERROR } from './attempt.ts';
import { Bell } from './bell.ts';
import { matchesAllThrough } from './filter.ts';
import {
  accepted,
  type Batch,
  clockSetBack,
  fetched,
  type Lane,
  launched,
  loaded,
  next,
  nudged,
  openLane,
  pendingOf,
  released,
  rewound,
  type Step,
  scanned,
  scannedAll,
  staged,
} from './lane.ts';
import { readBatch, readProbe, readRedriving, readReplay, runningReplay } from './load.ts';
import type { OpenDestination } from './open-destination.ts';
import { pageSettled } from './replay-page.ts';
import { Session } from './session.ts';
import type { Shares } from './shares.ts';
import { aboutToAge, stateChanged } from './state-event.ts';
import { internalError, logDamaged, tell, tellDueAt, unopened, withFinding } from './states.ts';
import { afterCheck, afterSend, type Effects, hold } from './verdict.ts';
import { type AgeWatch, ageWatch } from './waiting.ts';

export interface LaneDependencies {
  readonly log: EventLog;
  readonly store: DestinationStore;
  /** Throws with a plain message when a person must act. */
  readonly openDestination: (stored: StoredDestination) => OpenDestination;
  readonly clock: Clock;
  /** In [0, 1): jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  /** The state shown of a destination has changed, durably; what it is now, `health` says. Calls may be more than changes. */
  readonly onStateChanged?: (destination: string) => void;
}

/** What a lane is given: the lanes of a process share it. */
interface LaneParts extends LaneDependencies {
  /** Frames and compresses batches: each takes its body and the state of a compressor, which hundreds of lanes would take at once. */
  readonly preparing: AtMost;
  readonly shares: Shares;
}

/** Progress that only counts is written down this long after it changed: a crash counts again, to the same result. */
const COUNTS_WRITTEN_AFTER_MS = 1_000;
/** What time synchronisation may take back at once without notice. */
const CLOCK_TOLERANCE_MS = 500;
/** Batches that are sent while earlier ones are being written down: a crash then sends them again. */
const BATCHES_AHEAD = 4;
/** How often a lane before a damage in the log looks whether it can send what it has. */
const AT_DAMAGE_MS = 100;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Of a destination that is not open: nothing is sent. */
const NO_LIMITS: DestinationLimits = { batchEvents: 500, batchBytes: 1_000_000, eventBytes: 1, overheadBytes: 0 };

/**
 * Performs what `lane.ts` decides for one destination: reads, sends, settles and sleeps. The lane changes only in this
 * loop's own turns, one after the other: what comes from outside (commands, outcomes, the log's hint) is queued and
 * wakes it. Idle, it holds no timer. A throw ends the session; the next one begins from what is durable.
 */
export class LaneLoop {
  /** The destination as kept. Changed only within `turn`. */
  stored: StoredDestination;
  /** Changed only by the loop and within `turn`. */
  lane: Lane;
  readonly #deps: LaneParts;
  readonly #logger: Logger;
  readonly #isDelivering: boolean;
  readonly #finished: Promise<void>;
  readonly #stopping = new AbortController();
  /** Commands; they outlive a session. */
  readonly #turns: { readonly run: () => Promise<void>; readonly reject: (error: unknown) => void }[] = [];
  readonly #bell: Bell;
  // Of the present session:
  #session: Session;
  #destination: Destination | null = null;
  /** What it takes, however many other lanes there are. */
  #limits = NO_LIMITS;
  #isEdited = false;
  #isWatching = false;
  #isAtDamage = false;
  #bodies = new WeakMap<Batch, Promise<PreparedBatch>>();
  /** The progress last written, and since when the lane's differs from it. */
  #written: Progress;
  #countedAt: number | null = null;
  readonly #watchAge: AgeWatch;
  /** The latest time seen, so that a step back is noticed. */
  #latest = 0;

  /** Starts at once. `isDelivering` false: commands are obeyed, nothing is read or sent. */
  constructor(deps: LaneParts, stored: StoredDestination, progress: Progress, isDelivering: boolean) {
    this.#deps = deps;
    this.#logger = deps.logger.child({ destination: stored.id, kind: stored.kind });
    this.#isDelivering = isDelivering;
    this.stored = stored;
    this.lane = openLane(stored, progress, NO_LIMITS, null);
    this.#written = progress;
    this.#bell = new Bell(deps.clock);
    this.#session = new Session(deps, this.#logger, this.#bell);
    this.#watchAge = ageWatch(deps);
    this.#finished = this.#run();
  }

  /**
   * Runs `task` in the loop's own turn, when all that was decided before is durable: nothing else changes the lane
   * meanwhile; what is in flight goes on.
   */
  turn<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#stopping.signal.aborted) return reject(new Error('delivery is stopping'));
      this.#turns.push({ run: () => this.#session.settlements.end.then(task).then(resolve, reject), reject });
      this.#bell.ring();
    });
  }

  /** Settings changed: what is in flight ends, then the destination is opened anew. Only within `turn`. */
  reopen(): void {
    this.#isEdited = true;
  }

  /** Writes the lane's progress and what was decided with it in one transaction, after all earlier ones. Only within `turn`. */
  commit(effects: Effects = {}, extra: { attempt?: Attempt; audit?: readonly NewEvent[] } = {}): Promise<void> {
    const now = this.#deps.clock.now();
    const { progress } = this.lane;
    const { told, change } = tell(this.lane.told, progress, now);
    this.lane = { ...this.lane, told };
    if (change) this.#logger.info({ previous: change.previous, ...change.finding }, 'destination changed its state');
    const audit = [...(extra.audit ?? []), ...(change ? [stateChanged(this.stored, change, now)] : [])];
    const settlement = { destination: this.stored.id, progress, ...effects, ...extra, audit };
    const isOther = progress.state !== this.#written.state;
    this.#written = progress;
    this.#countedAt = null;
    const settled = this.#session.settlements.add(settlement).then(() => {
      if (isOther) this.#deps.onStateChanged?.(this.stored.id);
    });
    this.#session.track(settled, () => {});
    return settled;
  }

  /** Goes on with the replay that is next in line. Only within `turn`. */
  async nextReplay(): Promise<void> {
    this.lane = { ...this.lane, replay: await runningReplay(this.#deps.store, this.stored.id) };
  }

  /** Sends nothing more; what is in flight may end and settle until `deadline` aborts. */
  async stop(deadline: AbortSignal): Promise<void> {
    const hurry = (): void => this.#session.abort();
    this.#stopping.abort();
    deadline.addEventListener('abort', hurry, { once: true });
    if (deadline.aborted) hurry();
    this.#bell.ring();
    await this.#finished;
    deadline.removeEventListener('abort', hurry);
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#deps;
    let failures = 0;
    for (let error: unknown = null; ; ) {
      const startedAt = clock.now();
      try {
        return await this.#runSession(error);
      } catch (thrown) {
        error = thrown;
        const what = thrown instanceof StorageDamaged ? 'the log is damaged' : 'internal error';
        this.#logger.error({ err: thrown }, `${what}: a delivery lane starts again from what is durable`);
        for (const { reject } of this.#turns.splice(0)) reject(thrown);
        if (this.#stopping.signal.aborted) return;
      }
      failures = clock.now() - startedAt > LONGEST_PAUSE_MS ? 0 : failures + 1;
      const pauseMs = random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
      await this.#bell.wait(clock.now() + Math.max(FIRST_PAUSE_MS, pauseMs));
    }
  }

  /** Works from what is durable until stopped. `error`: what ended the session before. */
  async #runSession(error: unknown): Promise<void> {
    this.#session = new Session(this.#deps, this.#logger, this.#bell);
    this.#isWatching = false;
    this.#isAtDamage = false;
    try {
      await this.#load(error);
      await this.#drive();
    } finally {
      this.#deps.shares.note(this, false);
      await this.#session.end();
      await this.#close();
    }
  }

  async #load(error: unknown): Promise<void> {
    const { store, clock } = this.#deps;
    const progress = await store.progress(this.stored.id);
    if (!progress) throw new Error('the destination has no progress');
    this.#written = progress;
    this.lane = { ...openLane(this.stored, progress, NO_LIMITS, null), told: this.lane.told };
    await this.nextReplay();
    const isDamaged = error instanceof StorageDamaged;
    if (isDamaged || (error !== null && !progress.held && pendingOf(progress) > 0)) {
      const finding = isDamaged ? logDamaged() : internalError();
      this.lane = { ...this.lane, progress: withFinding(progress, finding, clock.now()) };
    }
    // What cannot be settled would be sent again and again.
    if (isDamaged) await this.commit();
    if (this.#isDelivering) this.#open();
  }

  async #drive(): Promise<void> {
    for (;;) {
      await this.#session.perform();
      for (let turn = this.#turns.shift(); turn; turn = this.#turns.shift()) await turn.run();
      const isQuiet = this.lane.flights.length === 0 && !this.lane.checking;
      if (this.#session.signal.aborted || (this.#stopping.signal.aborted && isQuiet)) break;
      if (this.#isEdited && isQuiet) await this.#openAnew();
      this.#prepareAhead();
      await this.#perform(this.#nextStep());
      this.#deps.shares.note(this, this.#isHolding());
    }
    if (this.lane.progress !== this.#written) void this.commit();
    await this.#session.settlements.end;
  }

  #nextStep(): Step {
    if (!this.#isDelivering || this.#isEdited || this.#stopping.signal.aborted) return { kind: 'wait', until: null };
    this.#watchClock();
    this.#limit();
    const now = this.#deps.clock.now();
    const step = next(this.lane, now);
    const reads = step.kind === 'fetch' || step.kind === 'scan';
    if (reads && this.#isAtDamage && this.#hasUnsettled()) return { kind: 'wait', until: now + AT_DAMAGE_MS };
    // Sending may run ahead of the transactions that settle it; what the store is asked for may not.
    const mayRunAhead = { send: Math.max(this.lane.parallel, BATCHES_AHEAD), load: 0, probe: 0, check: 0 };
    const isAhead =
      step.kind in mayRunAhead &&
      this.#session.settlements.waiting > mayRunAhead[step.kind as keyof typeof mayRunAhead];
    return isAhead ? { kind: 'wait', until: null } : step;
  }

  /** Batches are as large as the destination takes them, or as its share of memory allows. */
  #limit(): void {
    const batchEvents = Math.min(this.#limits.batchEvents, this.#deps.shares.batchEvents);
    if (this.lane.limits.batchEvents !== batchEvents)
      this.lane = { ...this.lane, limits: { ...this.#limits, batchEvents } };
  }

  /** A clock that is set back (a wrong time corrected) must not keep anything waiting for the time it had. */
  #watchClock(): void {
    const now = this.#deps.clock.now();
    if (now < this.#latest - CLOCK_TOLERANCE_MS) {
      this.lane = clockSetBack(this.lane);
      if (this.#countedAt !== null) this.#countedAt = now;
      this.#latest = now;
    }
    this.#latest = Math.max(this.#latest, now);
  }

  async #perform(step: Step): Promise<void> {
    const { log, store, clock } = this.#deps;
    switch (step.kind) {
      case 'send':
        return this.#send(step.batch);
      case 'check':
        return this.#check();
      case 'probe': {
        const probe = this.#destination ? await readProbe(this.#deps, this.stored, this.lane) : null;
        return probe ? this.#send(probe, true) : this.#check();
      }
      case 'fetch':
        await this.#upToDamage(async () => {
          const { events, more } = await readBatch(log, this.stored, this.lane.fetched, this.lane.limits);
          this.lane = fetched(this.lane, events, more, clock.now());
        });
        return setImmediate();
      case 'scan':
        await this.#upToDamage(() => this.#scan());
        return setImmediate();
      case 'load':
        if (step.what === 'replay') return this.#loadReplay();
        this.lane = loaded(this.lane, 'redrive', await readRedriving(store, this.stored), 0);
        return;
      case 'wait':
        return this.#wait(step.until);
      default:
        return step satisfies never;
    }
  }

  /** What was read before a damage is sent and settled first; then it is met again, and ends the session. */
  async #upToDamage(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof StorageDamaged) || !this.#hasUnsettled()) throw error;
      this.#isAtDamage = true;
    }
  }

  #hasUnsettled(): boolean {
    return this.#isHolding() || this.#session.settlements.waiting > 0;
  }

  #isHolding(): boolean {
    const { ready, queue, flights } = this.lane;
    return ready.length + queue.length + flights.length > 0;
  }

  async #scan(): Promise<void> {
    const { log } = this.#deps;
    const after = this.lane.progress.scanned;
    const through = matchesAllThrough(this.lane.filters, after);
    if (through > after) {
      const { last } = await log.bounds(this.stored.team);
      this.lane = scannedAll(this.lane, Math.min(last, through), last > through);
    } else {
      const { events, more } = await readBatch(log, this.stored, after, this.lane.limits);
      this.lane = scanned(this.lane, events, more);
    }
  }

  async #loadReplay(): Promise<void> {
    const { events, through } = await readReplay(this.#deps.log, this.stored, this.lane.replay!, this.lane.limits);
    this.lane = loaded(this.lane, 'replay', events, through);
    if (events.length > 0) return;
    const { lane, replay } = pageSettled(this.lane, 0, 0, this.#deps.clock.now());
    this.lane = lane;
    if (replay?.status === 'done') await this.#settleReplay({ replay });
    await setImmediate();
  }

  async #settleReplay(effects: Effects, attempt?: Attempt): Promise<void> {
    await this.commit(effects, attempt && { attempt });
    await this.nextReplay();
  }

  #send(batch: Batch, isProbe = false): void {
    const { clock, random } = this.#deps;
    const { signal } = this.#session;
    const at = clock.now();
    this.lane = launched(this.lane, batch, isProbe);
    const flight = this.lane.flights.at(-1)!;
    let bytes = 0;
    const send = async (): Promise<Outcome> => {
      const prepared = await this.#prepare(batch);
      bytes = prepared.bytes;
      return prepared.send(signal, () =>
        this.#session.land(() => {
          this.lane = accepted(this.lane, batch);
        }),
      );
    };
    this.#session.track(this.#caught(send), (outcome) => {
      const now = clock.now();
      const { lane, effects, delivered } = afterSend(this.lane, flight, outcome, now, random());
      this.lane = lane;
      const { kind, events } = batch;
      const attempt = attemptOf({ kind, events, delivered, at, bytes, durationMs: Math.max(0, now - at) }, outcome);
      if (effects.replay?.status === 'done') return this.#settleReplay(effects, attempt);
      void this.commit(effects, { attempt });
    });
  }

  /** Frames and compresses a batch once, however often it is sent. */
  #prepare(batch: Batch): Promise<PreparedBatch> {
    const known = this.#bodies.get(batch);
    if (known) return known;
    const body = this.#deps.preparing(async () => this.#destination!.prepare(batch.events));
    this.#bodies.set(batch, body);
    // Whoever sends it hears of the error; the next try prepares anew.
    body.catch(() => this.#bodies.delete(batch));
    return body;
  }

  /** While a batch is in flight the next one is framed and compressed; what will not be sent soon is let go of. */
  #prepareAhead(): void {
    const lane = staged(released(this.lane, this.#deps.clock.now()));
    const batch = lane.queue[0];
    if (lane.flights.length > 0 && batch && batch !== this.lane.queue[0]) void this.#prepare(batch);
    this.lane = lane;
  }

  #check(): void {
    const { clock } = this.#deps;
    const at = clock.now();
    if (!this.#destination && !this.#open()) return;
    this.lane = { ...this.lane, checking: true };
    const { signal } = this.#session;
    this.#session.track(
      this.#caught(async () => this.#destination!.check(signal)),
      (outcome) => {
        const now = clock.now();
        this.lane = afterCheck(this.lane, outcome, now);
        const measured = {
          kind: 'check',
          events: [],
          delivered: 0,
          at,
          bytes: 0,
          durationMs: Math.max(0, now - at),
        } as const;
        void this.commit({}, { attempt: attemptOf(measured, outcome) });
      },
    );
  }

  /** A throw is our bug: all is kept and tried again. Events that cannot be read any more end the session. */
  async #caught(work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageDamaged) throw error;
      this.#logger.error({ err: error }, 'internal error while sending or checking');
      return INTERNAL_ERROR;
    }
  }

  /** Opens the destination with its present settings; a person must act when that fails. */
  #open(): boolean {
    try {
      const { destination, limits } = this.#deps.openDestination(this.stored);
      this.#destination = destination;
      this.#limits = limits;
      this.lane = { ...this.lane, limits };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.lane = hold(this.lane, unopened(reason), this.#deps.clock.now());
      void this.commit();
    }
    return this.#destination !== null;
  }

  async #openAnew(): Promise<void> {
    this.#isEdited = false;
    await this.#close();
    this.lane = nudged(rewound(this.lane));
    this.#open();
  }

  async #close(): Promise<void> {
    const closing = this.#destination;
    this.#destination = null;
    await closing?.close().catch((error: unknown) => this.#logger.warn({ err: error }, 'closing a destination failed'));
  }

  /** Waits until `until`, until progress is to be written or something told, or until something happens. */
  async #wait(until: number | null): Promise<void> {
    const now = this.#deps.clock.now();
    if (this.lane.progress !== this.#written) this.#countedAt ??= now;
    const writeAt = this.#countedAt === null ? null : this.#countedAt + COUNTS_WRITTEN_AFTER_MS;
    const tellAt = tellDueAt(this.lane.told, this.lane.progress);
    if ([writeAt, tellAt].some((at) => at !== null && at <= now)) void this.commit();
    const { warnAt, warning } = await this.#watchAge(this.stored, this.lane);
    if (warning) void this.commit({}, { audit: [aboutToAge(this.stored, warning, now)] });
    if (this.#isDelivering) this.#watch();
    const times = [until, writeAt, tellAt, warnAt].filter((at): at is number => at !== null && at > now);
    await this.#bell.wait(times.length > 0 ? Math.min(...times) : null);
  }

  /** What comes is gathered before it is read: looking at each commit would cost more than sending. */
  #watch(): void {
    if (this.#isWatching || this.lane.more) return;
    this.#isWatching = true;
    const { log, clock } = this.#deps;
    const { signal } = this.#session;
    const watch = async (): Promise<number> => {
      await log.waitForMore(this.stored.team, this.lane.progress.scanned, signal);
      const at = clock.now();
      if (this.lane.lingerMs > 0) await clock.sleep(this.lane.lingerMs, signal);
      return at;
    };
    this.#session.track(watch(), (at) => {
      this.#isWatching = false;
      this.lane = { ...this.lane, more: true, moreSince: at };
    });
  }
}
