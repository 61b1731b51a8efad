import assert from 'node:assert/strict';
import type { StandIn } from '../../../src/destinations/destination.ts';
import { type RetentionReport, startRetention } from '../../../src/retention/retention.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { AnswersRig } from '../answers/rig.ts';
import type { Random } from '../random.ts';
import type { Tally } from '../scenario.ts';

export const TEAM = 'acme';
const STEP_MS = 5_000;

/** One team's five destinations, each at its SIEM's stand-in, and retention: real store, delivery and sockets on a test clock. */
export class FiveLanes {
  readonly rig: AnswersRig;
  readonly standIns: ReadonlyMap<string, StandIn>;
  readonly appended: string[] = [];
  readonly #sandbox: Sandbox;
  #retention: ReturnType<typeof startRetention>;

  private constructor(rig: AnswersRig, sandbox: Sandbox) {
    this.rig = rig;
    this.standIns = sandbox.standIns;
    this.#sandbox = sandbox;
    this.#retention = this.#startRetention();
  }

  static async start(random: Random, kinds?: readonly string[]): Promise<FiveLanes> {
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
    const rig = await AnswersRig.start(random.next);
    for (const [kind, { settings }] of sandbox.standIns)
      if (kinds?.includes(kind) ?? true) await rig.add(kind, { team: TEAM, kind, settings, withOwnEvents: true });
    return new FiveLanes(rig, sandbox);
  }

  async append(count: number): Promise<void> {
    this.appended.push(...(await this.rig.append(TEAM, count)));
  }

  /** One round of retention now, beside its own hourly ones. */
  retain(): Promise<RetentionReport> {
    return this.#retention.runNow();
  }

  async keep(retentionDays: number): Promise<void> {
    const team = await this.rig.store.teams.get(TEAM);
    assert.ok(team);
    await this.rig.store.teams.update({ ...team, retentionDays }, []);
  }

  /** Lets time pass until nothing waits anywhere; fails when that takes longer than `withinMs` of it. */
  async drain(withinMs: number, kinds = [...this.standIns.keys()]): Promise<void> {
    for (let passed = 0; ; passed += STEP_MS) {
      await this.rig.settle();
      const healths = await Promise.all(kinds.map((kind) => this.rig.look(kind, TEAM)));
      const { last } = await this.rig.store.log.bounds(TEAM);
      if (healths.every(({ counts }) => counts.pending === 0 && counts.matched + counts.filtered === last)) return;
      const waits = kinds.filter((_, i) => healths[i]!.counts.pending > 0);
      if (passed >= withinMs) throw new Error(`${waits.join(', ')} still wait after ${passed / 1000} s`);
      await this.rig.clock.advance(STEP_MS);
    }
  }

  /** Where each event of `expected` (by default all appended) is, with exact counters at every destination. */
  async tally(faults: number, expected: readonly string[] = this.appended): Promise<Tally> {
    assert.deepEqual(this.rig.bugs, []);
    let [lost, duplicated, deadLettered] = [0, 0, 0];
    for (const [kind, standIn] of this.standIns) {
      const { counts } = await this.rig.look(kind, TEAM);
      const at = standIn.ids();
      const letters = new Set((await this.rig.deadLetters(kind)).map(({ id }) => id));
      lost += expected.filter((id) => !at.has(id) && !letters.has(id)).length;
      duplicated += standIn.counts().duplicates;
      deadLettered += letters.size;
      assert.equal(counts.deadLettered, letters.size, `dead letters of ${kind}`);
      assert.equal(counts.delivered, at.size, `delivered to ${kind}`);
    }
    return { events: expected.length, faults, lost, duplicated, deadLettered, countersExact: true };
  }

  async close(): Promise<void> {
    await this.#retention.stop();
    await this.rig.close();
    await this.#sandbox.close();
  }

  #startRetention() {
    const { store, delivery, clock, bugs } = this.rig;
    const logger: Logger = {
      ...{ debug: () => {}, info: () => {}, warn: () => {} },
      error: (_, message) => void bugs.push(message),
      child: () => logger,
    };
    return startRetention({
      log: store.log,
      teams: store.teams,
      settledThrough: (team) => delivery.settledThrough(team),
      pruneAttempts: (at) => store.destinations.pruneAttempts(at),
      clock,
      logger,
    });
  }
}
