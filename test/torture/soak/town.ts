import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createAlerting } from '../../../src/alerting/alert.ts';
import { startRetention } from '../../../src/retention/retention.ts';
import { SecretBox } from '../../../src/secrets.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { DeliveryRig, settle, TEAM, until } from '../../rig/delivery-rig.ts';

const MINUTE = 60_000;
/** Events are kept for two hours, so that every round of retention deletes some; the store knows only whole days. */
const KEPT_DAYS = 1 / 12;
/** More than are ever appended. */
const MOST_EVENTS = 200_000;

/**
 * One team's destinations with all that runs beside them – retention and alerting – on one test clock. What the SIEMs took
 * is counted in memory of a fixed size, so that the heap shows only what the service keeps.
 */
export class Town {
  readonly rig = new DeliveryRig();
  readonly ids: readonly string[];
  appended = 0;
  /** Changes of state, and mails about them. */
  changes = 0;
  mails = 0;
  /** How often each SIEM took each event of `append`. */
  readonly #taken = new Map<string, Uint8Array>();
  /** How many events each SIEM took, the service's own included. */
  readonly #total = new Map<string, number>();
  readonly #running: { stop(): Promise<void> }[] = [];

  private constructor(ids: readonly string[]) {
    this.ids = ids;
  }

  static async open(ids: readonly string[]): Promise<Town> {
    const town = new Town(ids);
    const { clock, store, delivery } = town.rig;
    const logger = createLogger({ level: 'silent' });
    await store.teams.create(
      {
        ...{ id: TEAM, name: TEAM, retentionDays: 1, createdAt: clock.now() },
        alerts: { mail: true, webhook: null },
      },
      [],
    );
    await delivery.start();
    for (const id of ids) {
      await town.rig.add(id);
      town.#taken.set(id, new Uint8Array(MOST_EVENTS));
    }
    const alerting = createAlerting({
      ...{ delivery, teams: store.teams, alerts: store.alerts, kinds: [], clock, logger },
      recipientsOf: async () => ['ana@acme.example'],
      mailer: {
        isConfigured: true,
        send: async () => {
          town.mails += 1;
          return undefined;
        },
        close: async () => {},
      },
      openOutbound: () => {
        throw new Error('no team has a webhook');
      },
      secretBox: new SecretBox(randomBytes(32)),
      baseUrl: () => 'http://127.0.0.1',
    });
    const retention = startRetention({
      ...{ log: store.log, clock, logger },
      teams: {
        list: async () => (await store.teams.list()).map((team) => ({ ...team, retentionDays: KEPT_DAYS })),
        deleted: store.teams.deleted,
      },
      settledThrough: (team) => delivery.settledThrough(team),
      pruneAttempts: (at) => store.destinations.pruneAttempts(at),
    });
    town.#running.push(alerting, retention);
    town.#notice = () => {
      for (const id of ids) alerting.noticed(id);
    };
    return town;
  }

  #notice: () => void = () => {};

  async append(count: number): Promise<void> {
    this.appended += (await this.rig.append(count)).length;
    assert.ok(this.appended < MOST_EVENTS);
  }

  /** Lets a minute pass, and then judges every counter. */
  async minute(): Promise<void> {
    const { rig } = this;
    await rig.clock.advance(MINUTE);
    await settle();
    for (const id of this.ids)
      await until(async () => {
        this.#count(id);
        const { delivered } = await rig.counts(id);
        return delivered === this.#total.get(id);
      });
    this.changes += rig.states.length;
    if (rig.states.length > 0) this.#notice();
    await Promise.all(rig.states.splice(0));
    rig.logged.length = 0;
    rig.reads = [];
  }

  /** How many events wait anywhere. */
  async pending(): Promise<number> {
    const counts = await Promise.all(this.ids.map((id) => this.rig.counts(id)));
    return counts.reduce((sum, { pending }) => sum + pending, 0);
  }

  /** What became of every event that was appended, when nothing is pending. */
  async verdict(): Promise<{ readonly lost: number; readonly duplicated: number; readonly deadLettered: number }> {
    const sum = { lost: 0, duplicated: 0, deadLettered: 0 };
    for (const id of this.ids) {
      const letters = await this.#deadLetters(id);
      const counts = await this.rig.counts(id);
      assert.equal(counts.deadLettered, letters.size, `${id}: dead letters counted`);
      const taken = this.#taken.get(id)!;
      for (let n = 1; n <= this.appended; n++) {
        if (taken[n] === 0 && !letters.has(`e${n}`)) sum.lost += 1;
        sum.duplicated += Math.max(0, taken[n]! - 1);
      }
      sum.deadLettered += letters.size;
    }
    return sum;
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.stop();
    await this.rig.close();
  }

  #count(id: string): void {
    const siem = this.rig.siem(id);
    const taken = this.#taken.get(id)!;
    for (const event of siem.received) {
      const n = /^e(\d+)$/.exec(event)?.[1];
      if (n !== undefined) taken[Number(n)]! += 1;
    }
    this.#total.set(id, (this.#total.get(id) ?? 0) + siem.received.length);
    siem.received.length = 0;
    siem.sends.length = 0;
  }

  async #deadLetters(id: string): Promise<Set<string>> {
    const letters = new Set<string>();
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const page = await this.rig.delivery.deadLetters(id, { limit: 1_000, ...(cursor === null ? {} : { cursor }) });
      for (const letter of page.items) letters.add(letter.id);
      cursor = page.nextCursor;
    }
    return letters;
  }
}
