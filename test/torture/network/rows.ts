import assert from 'node:assert/strict';
import type { Health } from '../../../src/delivery/delivery.ts';
import type { DestinationKind, StandIn } from '../../../src/destinations/destination.ts';
import { splunk } from '../../../src/destinations/splunk/index.ts';
import type { Lookup } from '../../../src/outbound/connect.ts';
import type { DestinationState } from '../../../src/store/destinations.ts';
import { eventually } from '../../rig/events.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { type Act, type Front, openFront, relayTo } from './hostile-server.ts';
import { type NetworkRig, openRig } from './rig.ts';
import { type Peer, startPeer } from './stopped.ts';

/** What a person must read while a fault lasts. `{target}` stands for host and port of the endpoint, `{front}` for the front's. */
export interface Shown {
  readonly state: DestinationState;
  readonly cause: string | RegExp;
  readonly fix: string | RegExp;
}

/** One fault, as data: how it begins and ends, and what must be seen of it. */
export interface Row {
  readonly name: string;
  readonly begin: (world: World) => Promise<void> | void;
  /** Absent: the fault may not stop delivery, and nothing need be seen of it. */
  readonly shown?: Shown;
  /** Default: the front passes bytes on again. */
  readonly end?: (world: World) => Promise<void> | void;
  /** After this fault nobody can know whether the batch was taken. */
  readonly mayRepeat?: true;
  readonly kind?: DestinationKind;
  /** How the front passes bytes on. Default: as they are. */
  readonly passOn?: (standInPort: number) => Act;
  readonly scheme?: 'http' | 'https';
  /** Host in the endpoint URL instead of 127.0.0.1. */
  readonly host?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly lookup?: Lookup;
  /** A process of its own stands before the front, which can be stopped. */
  readonly peer?: true;
  /** The stand-in itself speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** URL of a proxy at the front; the endpoint is then the stand-in itself. */
  readonly proxy?: (front: string) => string;
  /** How long connecting and answering may take while the fault lasts; otherwise as in the product. */
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  /** Most bytes the other side may have taken of an answer that does not end. */
  readonly mostTaken?: number;
  readonly after?: (world: World) => Promise<void> | void;
}

export interface World {
  readonly front: Front;
  readonly standIn: StandIn;
  readonly standInPort: number;
  /** Of a row with `peer`. */
  readonly peer: Peer;
  readonly rig: NetworkRig;
  readonly random: Random;
}

/** Rows at a time: most of their time is waiting. */
const AT_A_TIME = 6;

/** Others each time: the seed says which. */
const ROWS_IN_SHORT = 6;

/** A scenario of rows: each struck on a store, a destination and a stand-in of its own. */
export function scenarioOf(
  scenario: Pick<Scenario, 'name' | 'uncertain' | 'inShort' | 'withinSeconds' | 'cannotRun'>,
  rowsOf: (context: ScenarioContext) => Promise<readonly Row[]> | readonly Row[],
): Scenario {
  return {
    ...scenario,
    async run(context) {
      const isShort = context.size === 'short';
      const waiting: { readonly row: Row; readonly round: number }[] = [];
      for (let round = 0; round < (isShort ? 1 : 2); round++) {
        // Made anew for each round: a row may keep what it started.
        const rows = context.random.shuffled(await rowsOf(context));
        waiting.push(...rows.slice(0, isShort ? ROWS_IN_SHORT : rows.length).map((row) => ({ row, round })));
      }
      const tallies: Tally[] = [];
      const failures: string[] = [];
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const { row, round } = next;
          try {
            tallies.push(await strike(row, { ...context, random: context.random.fork(`${row.name} ${round}`) }));
          } catch (error) {
            const said = error instanceof Error ? error.message : String(error);
            context.say(`✕ ${row.name}: ${said}`);
            failures.push(row.name);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
      assert.deepEqual(failures, [], `not as they must be: ${failures.join(', ')}`);
      return sum(tallies);
    },
  };
}

/** Delivers, lets the fault begin, looks at what is said of it twice, ends it, and judges what was delivered. */
async function strike(row: Row, { size, random }: ScenarioContext): Promise<Tally> {
  const kind = row.kind ?? splunk;
  const standIn = await (await kind.standIn())({ port: 0, keep: 1, ...(row.tls && { tls: row.tls }) });
  const standInPort = Number(new URL(standIn.url).port);
  const front = await openFront((row.passOn ?? relayTo)(standInPort));
  const peer = row.peer ? await startPeer(front.port) : null;
  const port = row.proxy ? standInPort : (peer ?? front).port;
  const at = { front: `127.0.0.1:${front.port}`, target: `${row.host ?? '127.0.0.1'}:${port}` };
  const { lookup, connectTimeoutMs, answerTimeoutMs } = row;
  const rig = await openRig({
    ...{ kind, random, lookup, connectTimeoutMs, answerTimeoutMs, proxy: row.proxy?.(at.front) },
    settings: { ...standIn.settings, endpointUrl: `${row.scheme ?? 'http'}://${at.target}`, ...row.settings },
    parallel: size === 'short' ? 1 : random.between(1, 3),
  });
  await rig.hasty(row.mayRepeat === true);
  const world: World = { front, standIn, standInPort, peer: peer ?? NO_PEER, rig, random };
  const some = (): number => (size === 'short' ? random.between(5, 40) : random.between(50, 900));
  try {
    await rig.append(some());
    await rig.recovered();
    await rig.hasty(true);
    await row.begin(world);
    const { shown } = row;
    for (let tries = 0; tries < 2; tries++) {
      await rig.append(some());
      if (shown) look(await rig.failAgain(), shown, at);
      else await rig.recovered();
    }
    if (shown?.state === 'disconnected' && !row.peer) await allGone(front, 'that came to nothing');
    await rig.hasty(false);
    const faults = shown ? await rig.failedTries() : front.struck();
    await (row.end ?? (() => front.honest()))(world);
    await rig.append(some());
    const { cause, fix } = await rig.recovered();
    assert.deepEqual({ cause, fix }, { cause: null, fix: null });
    await row.after?.(world);
    if (row.mostTaken !== undefined)
      assert.ok(
        front.sent() < row.mostTaken * front.struck(),
        `${front.sent()} bytes of ${front.struck()} answers were taken`,
      );
    const verdict = await rig.judge(standIn);
    if (!row.mayRepeat) assert.equal(verdict.duplicated, 0, 'events were repeated, though nothing can have been taken');
    assert.equal(verdict.lost, 0, `${verdict.lost} events are lost`);
    assert.ok(verdict.countersExact, 'the counters are not exact');
    assert.equal(verdict.deadLettered, 0, `${verdict.deadLettered} dead letters`);
    return { ...verdict, faults };
  } finally {
    await rig.close();
    try {
      await allGone(front, 'of a closed destination');
    } finally {
      await peer?.end();
      await front.close();
      await standIn.close();
    }
  }
}

async function allGone(front: Front, which: string): Promise<void> {
  await eventually(() => {
    front.readOn();
    assert.equal(front.open(), 0, `connections ${which} are left open`);
  }, 20_000);
}

const NO_PEER: Peer = {
  port: 0,
  stop() {},
  goOn() {},
  stopAndFill: async () => {},
  end: async () => {},
};

interface Places {
  readonly front: string;
  readonly target: string;
}

function look({ state, cause, fix }: Health, shown: Shown, at: Places): void {
  assert.equal(state, shown.state, `it is ${state}, because ${cause}`);
  saysWhatItMust(cause, shown.cause, at);
  saysWhatItMust(fix, shown.fix, at);
}

function saysWhatItMust(said: string | null, wanted: string | RegExp, { front, target }: Places): void {
  if (typeof wanted === 'string')
    assert.equal(said, wanted.replaceAll('{target}', target).replaceAll('{front}', front));
  else assert.match(said ?? '', wanted);
}

function sum(tallies: readonly Tally[]): Tally {
  const total = (of: (tally: Tally) => number): number => tallies.reduce((all, tally) => all + of(tally), 0);
  return {
    events: total(({ events }) => events),
    faults: total(({ faults }) => faults),
    lost: total(({ lost }) => lost),
    duplicated: total(({ duplicated }) => duplicated),
    deadLettered: total(({ deadLettered }) => deadLettered),
    countersExact: tallies.every(({ countersExact }) => countersExact === true),
  };
}
