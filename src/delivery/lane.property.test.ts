import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DestinationLimits, Outcome } from '../destinations/destination.ts';
import type { LoggedEvent, Sequence } from '../event/logged-event.ts';
import type { FilterVersion, Progress, StoredDestination } from '../store/destinations.ts';
import { matches, withFilter } from './filter.ts';
import {
  accepted,
  type Batch,
  type Flight,
  fetched,
  type Lane,
  launched,
  loaded,
  next,
  nudged,
  openLane,
  pendingOf,
  probeOf,
  released,
  scanned,
  staged,
} from './lane.ts';
import { afterCheck, afterSend, type Effects, redrive } from './verdict.ts';

/** Every kind of answer; numbers choose events of the batch. */
type Answer =
  | { kind: 'delivered' | 'throttled' | 'misconfigured' | 'refused'; taken: number }
  | { kind: 'retry'; taken: number; stored: number }
  | { kind: 'partial'; rejected: number; again: number; pause: 'throttled' | 'server' | undefined };

type Op =
  | { op: 'append'; count: number; categories: number }
  | { op: 'step'; times: number }
  | { op: 'land'; flight: number; answer: Answer }
  | { op: 'accept' | 'flush' | 'resume' | 'pause' | 'reopen' }
  | { op: 'crash'; stored: number; beforeSettling: Answer | null }
  | { op: 'time'; ms: number }
  | { op: 'filter'; all: boolean }
  | { op: 'redrive'; chosen: number };

const bits = fc.integer({ min: 0, max: 2 ** 20 - 1 });
const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'delivered' as const, taken: 0 }) },
  fc.record({ kind: fc.constantFrom('throttled', 'misconfigured', 'refused'), taken: fc.oneof(fc.constant(0), bits) }),
  { weight: 3, arbitrary: fc.constant({ kind: 'refused' as const, taken: 0 }) },
  fc.record({ kind: fc.constant('retry'), taken: fc.oneof(fc.constant(0), bits), stored: bits }),
  fc.record({
    kind: fc.constant('partial'),
    rejected: fc.oneof(bits, fc.constant(-1)),
    again: bits,
    pause: fc.constantFrom('throttled', 'server', undefined),
  }),
);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('append'), count: fc.integer({ min: 1, max: 25 }), categories: bits }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('step'), times: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('land'), flight: fc.nat(7), answer }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('accept', 'flush', 'resume', 'pause', 'reopen') }) },
  fc.record({ op: fc.constant('crash'), stored: bits, beforeSettling: fc.option(answer) }),
  { weight: 4, arbitrary: fc.record({ op: fc.constant('time'), ms: fc.integer({ min: 1, max: 400_000 }) }) },
  fc.record({ op: fc.constant('filter'), all: fc.boolean() }),
  fc.record({ op: fc.constant('redrive'), chosen: bits }),
) as fc.Arbitrary<Op>;

const LIMITS: DestinationLimits = { batchEvents: 6, batchBytes: 700, eventBytes: 400, overheadBytes: 10 };
const GOOD = ['authentication', 'api_access'];

/** One destination with everything around it in memory: the log, what is durable, and the SIEM. */
class World {
  now = 1_000_000;
  log: LoggedEvent[] = [];
  filters: readonly FilterVersion[];
  progress: Progress;
  readonly letters = new Map<string, { event: LoggedEvent; redriving: boolean }>();
  /** How often each id was stored, and how often a repeat could be nobody's fault. */
  readonly stored = new Map<string, number>();
  readonly mayRepeat = new Map<string, number>();
  /** Ids whose latest verdict was a refusal of that one event. */
  readonly refused = new Set<string>();
  lane: Lane;
  paused = false;
  checks: Outcome = { kind: 'delivered' };
  readonly parallel: number;
  readonly awaiting: number;

  constructor(parallel: number, awaiting: number) {
    this.parallel = parallel;
    this.awaiting = awaiting;
    const filter = { categories: null, eventTypes: null, newCategories: true };
    this.filters = withFilter([], filter, { fromSequence: 1, cursor: 0, seen: [] });
    this.progress = {
      ...{ cursor: 0, settledAhead: [], scanned: 0, matched: 0, filtered: 0, delivered: 0, deadLettered: 0 },
      ...{ state: 'pending', since: this.now, cause: null, fix: null, held: false, refusedRun: [] },
      ...{ lastSuccessAt: null, lastError: null },
    };
    this.lane = this.opened();
  }

  opened(): Lane {
    const stored = {
      ...{ filters: this.filters, parallel: this.parallel, lingerMs: 0 },
      paused: this.paused ? { by: 'ana', at: 0 } : null,
    } as unknown as StoredDestination;
    return openLane(stored, this.progress, { ...LIMITS, awaiting: this.awaiting }, null);
  }

  append(count: number, categories: number): void {
    for (let i = 0; i < count; i++) {
      const sequence = this.log.length + 1;
      const eventCategory = GOOD[(categories >> (i % 20)) & 1]!;
      const bytes = 40 + ((sequence * 37) % 300);
      const at = { timestamp: this.now, receivedAt: this.now };
      this.log.push({ team: 't', sequence, id: `e${sequence}`, eventType: 'x', eventCategory, ...at, json: '', bytes });
    }
    this.lane = { ...this.lane, more: true };
  }

  read(after: Sequence): { events: LoggedEvent[]; more: boolean } {
    const events = this.log.slice(after, after + LIMITS.batchEvents);
    return { events, more: events.length === LIMITS.batchEvents };
  }

  /** Performs what the lane says, as the loop does. False when it waits. */
  step(): boolean {
    this.lane = staged(released(this.lane, this.now));
    const step = next(this.lane, this.now);
    switch (step.kind) {
      case 'send':
        this.lane = launched(this.lane, step.batch);
        break;
      case 'check':
        this.lane = afterCheck(this.lane, this.checks, this.now);
        this.settle({});
        break;
      case 'probe': {
        const batch = this.probe();
        if (batch) this.lane = launched(this.lane, batch, true);
        else this.lane = afterCheck(this.lane, this.checks, this.now);
        break;
      }
      case 'load':
        this.lane = loaded(this.lane, 'redrive', this.redriving(), 0);
        break;
      case 'fetch': {
        const { events, more } = this.read(this.lane.fetched);
        this.lane = fetched(this.lane, events, more, this.now);
        break;
      }
      case 'scan': {
        const { events, more } = this.read(this.lane.progress.scanned);
        this.lane = scanned(this.lane, events, more);
        break;
      }
      case 'wait':
        return false;
      default:
        step satisfies never;
    }
    this.verify(this.lane.progress);
    return true;
  }

  redriving(): LoggedEvent[] {
    const letters = [...this.letters.values()].filter((letter) => letter.redriving);
    return letters.map((letter) => letter.event).sort((a, b) => a.sequence - b.sequence);
  }

  probe(): Batch | null {
    const { progress, filters, checks } = this.lane;
    const waiting = this.log
      .slice(progress.cursor)
      .filter((event) => !progress.settledAhead.includes(event.sequence) && matches(filters, event));
    return probeOf(checks, waiting, this.redriving());
  }

  /** The SIEM answers one of the batches in flight. */
  answer(flight: Flight, answer: Answer): Outcome {
    const { events } = flight.batch;
    const chosen = (mask: number): string[] => events.filter((_, i) => mask & (1 << (i % 20))).map((event) => event.id);
    const all = events.map((event) => event.id);
    const store = (ids: readonly string[]): void => {
      for (const id of ids) {
        this.stored.set(id, (this.stored.get(id) ?? 0) + 1);
        this.refused.delete(id);
      }
    };
    switch (answer.kind) {
      case 'delivered':
        store(all);
        return { kind: 'delivered' };
      case 'partial': {
        const rejected = chosen(answer.rejected);
        const again = chosen(answer.again).filter((id) => !rejected.includes(id));
        store(all.filter((id) => !rejected.includes(id) && !again.includes(id)));
        for (const id of rejected) this.refused.add(id);
        const pause = answer.pause && { pause: answer.pause };
        return {
          kind: 'partial',
          rejected: rejected.map((id) => ({ id, reason: 'no' })),
          again,
          reason: 'r',
          ...pause,
        };
      }
      case 'retry': {
        const taken = chosen(answer.taken);
        const unknown = chosen(answer.stored).filter((id) => !taken.includes(id));
        store(taken);
        store(unknown);
        for (const id of unknown) this.mayRepeat.set(id, (this.mayRepeat.get(id) ?? 0) + 1);
        return { kind: 'retry', cause: 'unreachable', reason: 'r', taken, uncertain: true };
      }
      default: {
        const taken = chosen(answer.taken);
        store(taken);
        const rest = all.filter((id) => !taken.includes(id));
        if (answer.kind === 'refused' && rest.length === 1) this.refused.add(rest[0]!);
        if (answer.kind === 'misconfigured')
          return { kind: 'misconfigured', cause: 'credential', reason: 'r', fix: 'f', taken };
        return { kind: answer.kind, reason: 'r', taken };
      }
    }
  }

  land(flight: Flight, answer: Answer): void {
    const outcome = this.answer(flight, answer);
    const { lane, effects, delivered } = afterSend(this.lane, flight, outcome, this.now, 0.5);
    expect(delivered).toBeLessThanOrEqual(flight.batch.events.length);
    this.lane = lane;
    this.settle(effects, flight);
  }

  /** One transaction. */
  settle(effects: Effects, flight?: Flight): void {
    this.progress = this.lane.progress;
    for (const letter of effects.deadLetters ?? []) {
      const event = flight!.batch.events.find((one) => one.id === letter.id)!;
      expect(this.refused).toContain(letter.id);
      this.letters.set(letter.id, { event, redriving: false });
    }
    for (const id of effects.redriven ?? []) this.letters.delete(id);
    for (const id of effects.redrive ?? []) this.letters.get(id)!.redriving = true;
    this.verify(this.progress);
  }

  crash(mask: number): void {
    for (const { batch } of this.lane.flights)
      batch.events.forEach(({ id }, i) => {
        if (!(mask & (1 << (i % 20)))) return;
        this.stored.set(id, (this.stored.get(id) ?? 0) + 1);
        this.mayRepeat.set(id, (this.mayRepeat.get(id) ?? 0) + 1);
      });
    this.lane = this.opened();
  }

  /** What must hold at every moment. */
  verify(progress: Progress): void {
    const { cursor, scanned, settledAhead } = progress;
    const ahead = new Set(settledAhead);
    const seen = this.log.slice(0, scanned);
    const matched = seen.filter((event) => matches(this.filters, event));
    const isSettled = (event: LoggedEvent): boolean => event.sequence <= cursor || ahead.has(event.sequence);
    for (const event of matched)
      if (isSettled(event) && !this.stored.has(event.id) && !this.letters.has(event.id))
        throw new Error(`lost: event ${event.sequence}, cursor ${cursor}`);
    const letters = [...this.letters.values()];
    const redriving = letters.filter((letter) => letter.redriving).length;
    const counted = { matched: progress.matched, filtered: progress.filtered, dead: progress.deadLettered };
    expect(counted).toEqual({
      matched: matched.length,
      filtered: scanned - matched.length,
      dead: letters.length - redriving,
    });
    expect(pendingOf(progress)).toBe(matched.filter((event) => !isSettled(event)).length + redriving);
    expect(cursor).toBeLessThanOrEqual(scanned);
    for (const sequence of settledAhead) expect(sequence).toBeGreaterThan(cursor);
  }

  perform(op: Op): void {
    const flight = 'flight' in op ? this.lane.flights[op.flight % Math.max(1, this.lane.flights.length)] : undefined;
    switch (op.op) {
      case 'append':
        this.append(op.count, op.categories);
        return;
      case 'step':
        for (let i = 0; i < op.times && this.step(); i++);
        return;
      case 'land':
        if (flight) this.land(flight, op.answer);
        return;
      case 'accept': {
        const first = this.lane.flights.find((one) => !one.accepted);
        if (first) this.lane = accepted(this.lane, first.batch);
        return;
      }
      case 'flush':
        this.settle({});
        return;
      case 'pause':
      case 'resume':
        this.paused = op.op === 'pause';
        this.lane = nudged({ ...this.lane, paused: this.paused });
        return;
      case 'reopen':
        this.lane = nudged(this.lane);
        return;
      case 'crash': {
        // The answer came, and the process died before it was written down.
        const first = this.lane.flights[0];
        if (op.beforeSettling && first) {
          const before = new Map(this.stored);
          this.answer(first, op.beforeSettling);
          for (const [id, count] of this.stored)
            if (count > (before.get(id) ?? 0)) this.mayRepeat.set(id, (this.mayRepeat.get(id) ?? 0) + 1);
          this.lane = { ...this.lane, flights: this.lane.flights.slice(1) };
        }
        this.crash(op.stored);
        return;
      }
      case 'time':
        this.now += op.ms;
        return;
      case 'filter': {
        const filter = { categories: op.all ? null : GOOD.slice(0, 1), eventTypes: null, newCategories: false };
        const fromSequence = Math.max(this.log.length, this.lane.progress.scanned) + 1;
        this.filters = withFilter(this.filters, filter, { fromSequence, cursor: this.lane.progress.cursor, seen: [] });
        this.lane = { ...this.lane, filters: this.filters };
        return;
      }
      case 'redrive': {
        const dead = [...this.letters].filter(([, letter]) => !letter.redriving).map(([id]) => id);
        const ids = dead.filter((_, i) => op.chosen & (1 << (i % 20)));
        const { lane, effects } = redrive(this.lane, ids);
        this.lane = lane;
        this.settle(effects);
        return;
      }
      default:
        op satisfies never;
    }
  }

  /** A healthy SIEM that refuses `bad` events one by one and accepts all others, until nothing is left to do. */
  finish(bad: ReadonlySet<string>): void {
    this.perform({ op: 'resume' });
    this.perform({ op: 'redrive', chosen: -1 });
    for (let turns = 0; turns < 20_000; turns++) {
      const flight = this.lane.flights[0];
      if (this.step()) continue;
      if (flight) this.landHealthy(flight, bad);
      else if (this.lane.progress.held || this.now < this.lane.waitUntil) {
        this.now += 300_000;
        // Something good always comes along, if only our own event about the destination being held.
        if (this.lane.progress.held) this.append(1, 0);
      } else if (pendingOf(this.lane.progress) === 0) return;
      else throw new Error('stuck');
    }
    throw new Error('no end');
  }

  landHealthy(flight: Flight, bad: ReadonlySet<string>): void {
    let mask = 0;
    flight.batch.events.forEach(({ id }, i) => {
      if (bad.has(id)) mask |= 1 << i;
    });
    this.land(flight, { kind: 'partial', rejected: mask, again: 0, pause: undefined });
  }
}

describe('a lane under random outcomes, crashes and commands', () => {
  it('loses nothing, counts exactly, repeats only what was uncertain, and ends when the SIEM is healthy', () => {
    fc.assert(
      fc.property(
        fc.array(op, { maxLength: 120 }),
        fc.constantFrom(1, 1, 2, 8),
        fc.constantFrom(1, 1, 4),
        fc.array(fc.boolean(), { maxLength: 40 }),
        (ops, parallel, awaiting, badness) => {
          const world = new World(parallel, awaiting);
          for (const op of ops) world.perform(op);
          const bad = new Set(badness.flatMap((isBad, i) => (isBad ? [`e${i * 2 + 1}`, `e${i * 2 + 2}`] : [])));
          world.finish(bad);

          const matched = world.log.filter((event) => matches(world.filters, event)).map((event) => event.id);
          const dead = [...world.letters.keys()];
          expect(matched.filter((id) => !world.stored.has(id)).sort()).toEqual(
            dead.filter((id) => !world.stored.has(id)).sort(),
          );
          for (const id of dead) expect(bad).toContain(id);
          for (const [id, count] of world.stored)
            expect(count, `${id} stored`).toBeLessThanOrEqual(1 + (world.mayRepeat.get(id) ?? 0));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('delivers in sequence order, one batch at a time, whatever fails', () => {
    const fault = fc.constantFrom<Answer>(
      { kind: 'delivered', taken: 0 },
      { kind: 'throttled', taken: 0 },
      { kind: 'misconfigured', taken: 0 },
      { kind: 'retry', taken: 0, stored: 0 },
      { kind: 'refused', taken: 0 },
    );
    fc.assert(
      fc.property(fc.array(fault, { maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (faults, count) => {
        const world = new World(1, 1);
        world.append(count, 0);
        const order: Sequence[] = [];
        for (const fault of [...faults]) {
          while (world.step());
          const flight = world.lane.flights[0];
          if (!flight) world.now += 300_000;
          else {
            const isSplit = fault.kind !== 'refused' || flight.batch.events.length > 1;
            const given = isSplit ? fault : ({ kind: 'delivered', taken: 0 } as const);
            if (given.kind === 'delivered') order.push(...flight.batch.events.map((event) => event.sequence));
            world.land(flight, given);
          }
        }
        expect(order).toEqual(order.map((_, i) => i + 1));
      }),
      { numRuns: 300 },
    );
  });
});
