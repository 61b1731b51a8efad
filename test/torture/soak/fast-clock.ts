import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { queryObjects } from 'node:v8';
import { BAD_TOKEN, DELIVERED, LIMITS, REFUSED, type Siem } from '../../rig/delivery-rig.ts';
import { median } from '../isolation/load.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { Town } from './town.ts';

const SIZES = { short: { hours: 3, warmUpHours: 1 }, full: { hours: 24, warmUpHours: 4 } };
const DESTINATIONS = ['one', 'two', 'three', 'four', 'five'];
const HOUR_MS = 3_600_000;
/** Longest that the end may take: five minutes of waiting, and again for what was refused or held. */
const DRAIN_MINUTES = 120;
/** The caches of events, which fill first: the log's tail and each reader's rows, small events costing as much again. */
const HEAP_BYTES = 2 * (8 + 2 * 4) * 1024 * 1024;
/** What is under way when it is looked; a thing kept for every attempt, or every minute, would soon be thousands. */
const UNDER_WAY = 100;
/** A lane sleeps until it tries again, alerting until a state has lasted; retention until the next hour. */
const SLEEPS = DESTINATIONS.length * 2 + 1;
/** Statements are prepared once per text; some of these are met for the first time late. */
const LATE_STATEMENTS = 12;

/** How a SIEM answers for some minutes. `throws` is a bug of ours. */
const MOODS = ['well', 'well', 'well', 'away', 'busy', 'token', 'refuses', 'picky', 'partial', 'throws'] as const;
type Mood = (typeof MOODS)[number];

/** What is looked at every hour, after collecting garbage. */
interface Look {
  readonly heap: number;
  /** Promises, functions and signals that somebody holds. */
  readonly held: number;
  readonly prepared: number;
}

/**
 * A day of one team with five destinations, on a clock that runs ahead: real store, delivery, retention and alerting, and
 * SIEMs that change their mood by chance. The counters are exact in every minute; memory, sleeps and statements stay flat.
 */
export const fastClock: Scenario = {
  name: 'soak/fast-clock',
  inShort: true,
  withinSeconds: 300,
  async run({ size, random, say }) {
    const { hours, warmUpHours } = SIZES[size];
    const statements = countStatements();
    const town = await Town.open(DESTINATIONS);
    try {
      const looks: Look[] = [];
      let faults = 0;
      let sleeping = 0;
      for (const [i, id] of DESTINATIONS.entries())
        town.rig.siem(id).limits = i === 0 ? { ...LIMITS, maxAgeMs: 18 * HOUR_MS } : LIMITS;
      for (let minute = 1; minute <= hours * 60; minute++) {
        for (const id of DESTINATIONS)
          if (random.between(1, 6) === 1) faults += behave(town.rig.siem(id), random.pick(MOODS), random);
        await town.append(random.between(0, 8));
        await town.minute();
        sleeping = Math.max(sleeping, town.rig.clock.sleeping);
        if (minute % 60 !== 0) continue;
        await town.rig.delivery.redrive(random.pick(DESTINATIONS), null, []);
        if (minute > warmUpHours * 60) looks.push({ ...held(), prepared: statements.count() });
      }
      for (const id of DESTINATIONS) behave(town.rig.siem(id), 'well', random);
      for (let minute = 0; minute < DRAIN_MINUTES && (await town.pending()) > 0; minute++) await town.minute();
      assert.equal(await town.pending(), 0, 'events wait though every SIEM is well');
      say(
        `${hours} hours: ${town.changes} changes of state, ${town.mails} mails, at most ${sleeping} sleeps, ${describe(looks)}`,
      );
      compare(looks);
      assert.ok(sleeping <= SLEEPS, `${sleeping} sleeps wait on the clock`);
      const verdict = await town.verdict();
      return { ...verdict, events: town.appended, faults, countersExact: true };
    } finally {
      statements.stop();
      await town.close();
    }
  },
};

/** Returns how many faults that is. */
function behave(siem: Siem, mood: Mood, random: Random): number {
  siem.check = () => DELIVERED;
  switch (mood) {
    case 'well':
      siem.answer = () => DELIVERED;
      return 0;
    case 'away':
      siem.answer = () => ({ kind: 'retry', cause: 'unreachable', reason: 'refused' });
      siem.check = () => ({ kind: 'retry', cause: 'unreachable', reason: 'refused' });
      return 1;
    case 'busy': {
      const retryAfterMs = random.between(0, 90_000);
      siem.answer = () => ({ kind: 'throttled', reason: 'busy', retryAfterMs });
      return 1;
    }
    case 'token':
      siem.answer = () => BAD_TOKEN;
      siem.check = () => BAD_TOKEN;
      return 1;
    case 'refuses':
      siem.answer = () => REFUSED;
      return 1;
    case 'picky':
      siem.answer = (ids) => (ids.some((id) => id.endsWith('7')) ? REFUSED : DELIVERED);
      return 1;
    case 'partial':
      siem.answer = (ids) => ({
        kind: 'partial',
        reason: 'some',
        rejected: ids.filter((id) => id.endsWith('3')).map((id) => ({ id, reason: 'bad' })),
        again: ids.length > 1 ? ids.slice(-1).filter((id) => !id.endsWith('3')) : [],
      });
      return 1;
    case 'throws':
      siem.answer = () => {
        throw new Error('a bug');
      };
      return 1;
    default:
      return mood satisfies never;
  }
}

function compare(looks: readonly Look[]): void {
  const grown = (figure: 'heap' | 'held'): number => {
    const third = Math.max(1, Math.floor(looks.length / 3));
    const [early, late] = [looks.slice(0, third), looks.slice(-third)].map((part) =>
      median(part.map((look) => look[figure])),
    );
    return late! - early!;
  };
  assert.ok(grown('held') < UNDER_WAY, `${grown('held')} more promises, functions and signals are held than at first`);
  assert.ok(grown('heap') < HEAP_BYTES, `the heap grew by ${megabytes(grown('heap'))} MB`);
  const prepared = looks.at(-1)!.prepared - looks[0]!.prepared;
  assert.ok(prepared <= LATE_STATEMENTS, `${prepared} statements were prepared again`);
}

function describe(looks: readonly Look[]): string {
  const ends = [looks[0]!, looks.at(-1)!];
  return (
    `heap ${ends.map(({ heap }) => megabytes(heap)).join(' → ')} MB, held ${ends.map(({ held }) => held).join(' → ')}, ` +
    `${ends.map(({ prepared }) => prepared).join(' → ')} statements prepared`
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Counting objects collects garbage first. */
function held(): Pick<Look, 'heap' | 'held'> {
  const count = [Promise, Function, AbortSignal].reduce(
    (sum, made) => sum + queryObjects(made, { format: 'count' }),
    0,
  );
  return { held: count, heap: process.memoryUsage().heapUsed };
}

/** Counts what is prepared on any connection of this process. */
function countStatements(): { count(): number; stop(): void } {
  const { prepare } = DatabaseSync.prototype;
  let prepared = 0;
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...given) {
    prepared += 1;
    return prepare.apply(this, given);
  };
  return {
    count: () => prepared,
    stop: () => {
      DatabaseSync.prototype.prepare = prepare;
    },
  };
}
