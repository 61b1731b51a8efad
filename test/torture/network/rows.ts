import assert from 'node:assert/strict';
import type { DestinationKind, StandIn } from '../../../src/destinations/destination.ts';
import { splunk } from '../../../src/destinations/splunk/index.ts';
import type { Lookup } from '../../../src/outbound/connect.ts';
import type { DestinationState } from '../../../src/store/destinations.ts';
import { eventually } from '../../rig/events.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { type Front, openFront } from './hostile-server.ts';
import { type NetworkRig, openRig } from './rig.ts';

/** What a person must read while the fault lasts. `{target}` stands for host and port of the endpoint. */
export interface Shown {
  readonly state: DestinationState;
  readonly cause: string | RegExp;
  readonly fix: string | RegExp;
}

/** One fault, as data: how it begins and ends, and what must be seen of it. */
export interface Row extends Shown {
  readonly name: string;
  readonly begin: (world: World) => Promise<void> | void;
  /** Default: the front passes bytes on again. */
  readonly end?: (world: World) => Promise<void> | void;
  /** After this fault nobody can know whether the batch was taken. */
  readonly mayRepeat?: true;
  readonly kind?: DestinationKind;
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly lookup?: Lookup;
  /** Host in the endpoint URL instead of 127.0.0.1. */
  readonly host?: string;
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  /** Looks at what the fault left behind. */
  readonly after?: (world: World) => Promise<void> | void;
}

export interface World {
  readonly front: Front;
  readonly standIn: StandIn;
  readonly standInPort: number;
  readonly rig: NetworkRig;
  /** As it stands in the endpoint URL. */
  readonly target: string;
}

/** Rows at a time: most of their time is waiting. */
const AT_A_TIME = 6;

/** A scenario of rows: each struck on a store, a destination and a stand-in of its own. */
export function scenarioOf(
  scenario: Pick<Scenario, 'name' | 'uncertain' | 'inShort' | 'withinSeconds' | 'cannotRun'>,
  rowsOf: (context: ScenarioContext) => Promise<readonly Row[]> | readonly Row[],
): Scenario {
  return {
    ...scenario,
    async run(context) {
      const rows = await rowsOf(context);
      const rounds = context.size === 'short' ? 1 : 3;
      const waiting = Array.from({ length: rounds }, (_, round) =>
        context.random.shuffled(rows).map((row) => ({ row, round })),
      ).flat();
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
  const front = await openFront(standInPort);
  const target = `${row.host ?? '127.0.0.1'}:${front.port}`;
  const endpointUrl = `${row.tls ? 'https' : 'http'}://${target}`;
  const { lookup, connectTimeoutMs, answerTimeoutMs } = row;
  const rig = await openRig({
    ...{ kind, random, lookup, connectTimeoutMs, answerTimeoutMs },
    settings: { ...standIn.settings, endpointUrl, ...row.settings },
    parallel: size === 'short' ? 1 : random.between(1, 3),
  });
  const world: World = { front, standIn, standInPort, rig, target };
  const some = (): number => (size === 'short' ? random.between(5, 40) : random.between(50, 900));
  try {
    await rig.append(some());
    await rig.recovered();
    await row.begin(world);
    await rig.append(some());
    for (let tries = 0; tries < 2; tries++) {
      const { state, cause, fix } = await rig.failAgain();
      assert.equal(state, row.state, `it is ${state}, because ${cause}`);
      saysWhatItMust(cause, row.cause, target);
      saysWhatItMust(fix, row.fix, target);
    }
    const failed = await rig.failedTries();
    await (row.end ?? (() => front.honest()))(world);
    await rig.append(some());
    const { cause, fix } = await rig.recovered();
    assert.deepEqual({ cause, fix }, { cause: null, fix: null });
    await row.after?.(world);
    const verdict = await rig.judge(standIn);
    if (!row.mayRepeat) assert.equal(verdict.duplicated, 0, 'events were repeated, though nothing can have been taken');
    assert.equal(verdict.lost, 0, `${verdict.lost} events are lost`);
    assert.ok(verdict.countersExact, 'the counters are not exact');
    assert.equal(verdict.deadLettered, 0, `${verdict.deadLettered} dead letters`);
    return { ...verdict, faults: failed };
  } finally {
    await rig.close();
    try {
      await eventually(() => assert.equal(front.open(), 0, 'connections are left open'), 10_000);
    } finally {
      await front.close();
      await standIn.close();
    }
  }
}

function saysWhatItMust(said: string | null, wanted: string | RegExp, target: string): void {
  if (typeof wanted === 'string') assert.equal(said, wanted.replaceAll('{target}', target));
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
