import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createDelivery, type RunningDelivery } from '../../../src/delivery/deliver.ts';
import type { Health } from '../../../src/delivery/delivery.ts';
import { destinationOpener } from '../../../src/delivery/open-destination.ts';
import type { DestinationKind, StandIn } from '../../../src/destinations/destination.ts';
import type { NewEvent } from '../../../src/event/logged-event.ts';
import { newSettings } from '../../../src/http/destination-settings.ts';
import type { Lookup } from '../../../src/outbound/connect.ts';
import { createOpenOutbound } from '../../../src/outbound/open-outbound.ts';
import type { Outbound } from '../../../src/outbound/outbound.ts';
import { Secret, SecretBox } from '../../../src/secrets.ts';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { eventually } from '../../rig/events.ts';
import { temporaryFolder } from '../../rig/service.ts';
import { TestClock } from '../../rig/test-clock.ts';
import type { Random } from '../random.ts';

export interface RigOptions {
  readonly kind: DestinationKind;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly random: Random;
  readonly lookup?: Lookup | undefined;
  /** URL of a proxy for every destination. */
  readonly proxy?: string | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly answerTimeoutMs?: number | undefined;
  readonly parallel?: number;
}

/** Generous: these waits end as soon as what they wait for is there. */
const WITHIN_MS = 40_000;
const TEAM = 'acme';
const ID = 'siem';

/** The real store, delivery and destination over real sockets; only the waits between tries are the rig's. */
export interface NetworkRig {
  /**
   * Whether the short time limits hold, or the product's: a loaded machine must not be taken for a fault. Tries that
   * failed before do not count as the fault's.
   */
  hasty(is: boolean): Promise<void>;
  /** Appends events and returns their ids. */
  append(count: number): Promise<readonly string[]>;
  health(): Promise<Health>;
  /** Tries that did not deliver, so far. */
  failedTries(): Promise<number>;
  /** Waits for the next failed try, and lets the time come for it if it must. */
  failAgain(): Promise<Health>;
  /** Lets time pass until everything is delivered and the state says so. */
  recovered(): Promise<Health>;
  /** What is lost, repeated and miscounted of all that was appended, by the stand-in's own record. */
  judge(standIn: Pick<StandIn, 'ids' | 'counts'>): Promise<Verdict>;
  /** Every attempt and every own event: what must name no credential. */
  everythingSaid(): Promise<unknown>;
  close(): Promise<void>;
}

export interface Verdict {
  readonly events: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly deadLettered: number;
  readonly countersExact: boolean;
}

export async function openRig(options: RigOptions): Promise<NetworkRig> {
  const { kind, settings, random, connectTimeoutMs, answerTimeoutMs } = options;
  const folder = await temporaryFolder();
  const clock = new TestClock();
  const store = openSqliteStore({ folder: folder.path, clock, defaultRetentionDays: 365, patienceMs: 0 });
  const secretBox = new SecretBox(randomBytes(32));
  const bugs: unknown[] = [];
  let isHasty = false;
  const proxy = options.proxy === undefined ? null : new Secret(options.proxy);
  const proxies = { https: proxy, http: proxy, except: [] };
  const open = createOpenOutbound({ network: 'any', allowHttp: true, proxies }, options.lookup);
  const delivery: RunningDelivery = createDelivery({
    log: store.log,
    store: store.destinations,
    openDestination: destinationOpener({
      kinds: [kind],
      openOutbound(given) {
        const [patient, hasty] = [open(given), open({ ...given, connectTimeoutMs, answerTimeoutMs })];
        const now = (): Outbound => (isHasty ? hasty : patient);
        return {
          request: (request, signal) => now().request(request, signal),
          probe: (url, signal) => now().probe(url, signal),
          close: async () => void (await Promise.all([patient.close(), hasty.close()])),
        };
      },
      secretBox,
      clock,
      brand: 'Acme',
    }),
    clock,
    random: random.next,
    logger: loggerInto(bugs),
  });
  await delivery.start();
  const now = clock.now();
  await delivery.create(
    {
      ...{
        id: ID,
        team: TEAM,
        kind: kind.kind,
        name: 'SIEM',
        startAt: 'beginning',
        lingerMs: 0,
        parallel: options.parallel ?? 1,
      },
      ...{ filter: { categories: null, eventTypes: null, newCategories: true }, createdAt: now, updatedAt: now },
      ...newSettings(kind, ID, { ...settings }, secretBox),
    },
    [],
  );
  const appended: string[] = [];
  let seen = 0;

  const health = (): Promise<Health> => delivery.health(ID);
  /** Re-checks of a held destination included. */
  const failedTries = async (): Promise<number> => {
    const { items } = await delivery.attempts(ID, { limit: 1_000 });
    return items.filter(({ outcome }) => outcome !== 'delivered').length;
  };
  /** Lets the time come at which something is due. */
  const hurry = async ({ nextAttemptAt }: Health): Promise<void> => {
    if (nextAttemptAt !== null && nextAttemptAt > clock.now())
      await clock.advance(Math.ceil(nextAttemptAt - clock.now()));
  };
  return {
    async hasty(is) {
      seen = await failedTries();
      isHasty = is;
    },
    async append(count) {
      const events = Array.from({ length: count }, (_, i) =>
        eventOf(`e${appended.length + i + 1}`, clock.now(), random),
      );
      await store.log.append(events);
      appended.push(...events.map(({ id }) => id));
      return events.map(({ id }) => id);
    },
    health,
    failedTries,
    async failAgain() {
      const failed = await eventually(
        async () => {
          const found = await health();
          assert.deepEqual(bugs, [], 'the log has an internal error');
          const tries = await failedTries();
          if (tries <= seen && found.counts.pending === 0 && found.counts.matched >= appended.length) return null;
          if (tries <= seen) await hurry(found);
          assert.ok(tries > seen, `no try has failed yet: ${found.state}, ${found.cause}`);
          seen = tries;
          return health();
        },
        WITHIN_MS,
        5,
      );
      assert.ok(failed, 'all of it counts as delivered');
      return failed;
    },
    recovered: () =>
      eventually(
        async () => {
          const found = await health();
          await hurry(found);
          const said = `${found.state}, ${found.counts.pending} pending: ${found.cause}`;
          assert.ok(found.counts.pending === 0 && found.counts.matched >= appended.length, said);
          assert.equal(found.state, 'connected', said);
          return found;
        },
        WITHIN_MS,
        5,
      ),
    async judge(standIn) {
      assert.deepEqual(bugs, [], 'the log has an internal error');
      const { counts } = await health();
      const letters = await delivery.deadLetters(ID, { limit: 1_000 });
      const dead = new Set(letters.items.map(({ id }) => id));
      const at = standIn.ids();
      return {
        events: appended.length,
        lost: appended.filter((id) => !at.has(id) && !dead.has(id)).length,
        duplicated: standIn.counts().duplicates,
        deadLettered: dead.size,
        countersExact:
          counts.matched === counts.delivered + counts.deadLettered + counts.pending && counts.delivered === at.size,
      };
    },
    everythingSaid: async () => [
      (await delivery.attempts(ID, { limit: 1_000 })).items,
      (await store.log.read(TEAM, 0, { events: 100_000, bytes: 1e9 })).map(({ json }) => json),
    ],
    async close() {
      await delivery.stop(AbortSignal.abort());
      await store.close();
      await folder.remove();
    },
  };
}

function eventOf(id: string, timestamp: number, random: Random): NewEvent {
  const json = JSON.stringify({
    ...{ timestamp: new Date(timestamp).toISOString(), id, version: '1.0', eventType: 'auth.logout' },
    ...{ eventCategory: 'authentication', status: 'success', actor: { id: 'user-1', type: 'user' } },
    // Compresses badly, so that a batch is as long on the wire as batches are.
    metadata: { token: random.bytes(150).toString('base64') },
  });
  return { team: TEAM, id, eventType: 'auth.logout', eventCategory: 'authentication', timestamp, hash: id, json };
}

/** Keeps what is logged as an error: a fault of the network must never be one of ours. */
function loggerInto(bugs: unknown[]): Logger {
  const logger: Logger = {
    ...{ debug() {}, info() {}, warn() {}, child: () => logger },
    error: (fields) => void bugs.push('err' in fields ? fields.err : fields),
  };
  return logger;
}
