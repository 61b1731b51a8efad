import type { Random } from './random.ts';

/** `short` runs within `npm test` (a few seconds each), `full` within `npm run torture`. */
export type Size = 'short' | 'full';

export interface ScenarioContext {
  readonly size: Size;
  /** Every choice a scenario makes comes from here, so that its seed replays it. */
  readonly random: Random;
  /** One line of what was seen, printed under the scenario's row. */
  say(line: string): void;
}

/** What a scenario counted; one row of the table. */
export interface Tally {
  /** Events acknowledged to producers; 0 where a scenario sends none. */
  readonly events: number;
  /** Kills, broken connections, hostile answers, refused writes, hostile inputs. */
  readonly faults: number;
  /** Acknowledged events that are neither in the log, where they belong, nor at the SIEM nor in its dead letters. */
  readonly lost: number;
  /** Events that a SIEM without deduplication stored more often than once. */
  readonly duplicated: number;
  readonly deadLettered: number;
  /** matched = delivered + dead letters + pending, and the SIEM's own count, at every look; null: nothing was counted. */
  readonly countersExact: boolean | null;
}

/**
 * One fault and what must hold under it. It fails by throwing, by losing an event, by counters that are not exact, or by
 * repeats that no uncertain answer explains.
 */
export interface Scenario {
  /** `<group>/<what>`; stable: `npm run torture -- <name>` runs it alone. */
  readonly name: string;
  /** The answer or crash after which nobody can know whether a batch was taken; absent: a repeat is a failure. */
  readonly uncertain?: string;
  /** Part of `npm test`. Absent: only in the full run. */
  readonly inShort?: boolean;
  /** Longest run of the full size, in seconds; past it the scenario has failed. Default 120. */
  readonly withinSeconds?: number;
  /** Why it cannot run on this machine (no root, no /dev/fuse), or null. */
  cannotRun?(): string | null;
  run(context: ScenarioContext): Promise<Tally>;
}

/**
 * A defect put into a copy of the sources to prove that a scenario finds it (`npm run torture -- --planted`). `find`
 * stands exactly once in `file`.
 */
export interface PlantedDefect {
  /** What goes wrong, in a few words. */
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The scenario that must fail. */
  readonly caughtBy: string;
}

/** Why a tally is a failure; null when it is none. */
export function failureOf(scenario: Scenario, tally: Tally): string | null {
  if (tally.lost !== 0) return `${tally.lost} events are lost`;
  if (tally.countersExact === false) return 'the counters are not exact';
  if (tally.duplicated > 0 && scenario.uncertain === undefined)
    return `${tally.duplicated} repeats though no answer was uncertain`;
  return null;
}
