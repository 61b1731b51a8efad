import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alerted } from '../store/alerts.ts';
import type { DestinationState } from '../store/destinations.ts';
import { decide, isBad, TELL_EVERY_MS } from './decide.ts';

const MINUTE = 60_000;
const RED = ['disconnected', 'authentication_failed', 'misconfigured'] as const;
const AMBER = ['retrying', 'throttled'] as const;
const SILENT = ['pending', 'paused'] as const;

const told = (state: DestinationState, at: number): Alerted => ({
  destination: 'd',
  state,
  toldAt: { [state]: at },
});

describe('decide', () => {
  it.each(RED)('tells %s at once', (state) => {
    expect(decide({ state, since: 0 }, undefined, 0)).toEqual({ do: 'tell' });
  });

  it.each(AMBER)('tells %s when it has lasted five minutes', (state) => {
    expect(decide({ state, since: 0 }, undefined, MINUTE)).toEqual({ do: 'wait', until: 5 * MINUTE });
    expect(decide({ state, since: 0 }, undefined, 5 * MINUTE)).toEqual({ do: 'tell' });
  });

  it.each(SILENT)('tells nobody of %s, whatever was told before', (state) => {
    expect(decide({ state, since: 0 }, undefined, 0)).toEqual({ do: 'nothing' });
    expect(decide({ state, since: 0 }, told('disconnected', 0), TELL_EVERY_MS)).toEqual({ do: 'nothing' });
  });

  it('tells of recovery when a bad state was told, and only then', () => {
    expect(decide({ state: 'connected', since: 1 }, told('disconnected', 0), 1)).toEqual({ do: 'tell' });
    expect(decide({ state: 'connected', since: 1 }, undefined, 1)).toEqual({ do: 'nothing' });
    expect(decide({ state: 'connected', since: 1 }, told('connected', 0), TELL_EVERY_MS)).toEqual({ do: 'nothing' });
  });

  it('tells a state again when a quarter of an hour has passed and it is news again', () => {
    const before = { ...told('connected', 2), toldAt: { disconnected: 1, connected: 2 } };
    const until = 1 + TELL_EVERY_MS;
    expect(decide({ state: 'disconnected', since: 3 }, before, 3)).toEqual({ do: 'wait', until });
    expect(decide({ state: 'disconnected', since: 3 }, before, until)).toEqual({ do: 'tell' });
  });
});

describe('whatever a destination goes through', () => {
  const step = fc.record({
    state: fc.constantFrom<DestinationState>('connected', ...RED, ...AMBER, ...SILENT),
    lastsMs: fc.oneof(fc.integer({ min: 1, max: MINUTE }), fc.integer({ min: 1, max: 40 * MINUTE })),
    /** The process dies after telling and before writing it down, should something be told now. */
    crash: fc.boolean(),
  });
  const life = fc.array(step, { minLength: 1, maxLength: 40 });

  it('a state is told at most once in a quarter of an hour, but for one repeat per crash', () => {
    fc.assert(
      fc.property(life, (steps) => {
        const { tells, crashes } = live(steps);
        let repeats = 0;
        for (const [i, tell] of tells.entries()) {
          const before = tells.slice(0, i).findLast(({ state }) => state === tell.state);
          if (before && tell.at - before.at < TELL_EVERY_MS) repeats += 1;
        }
        expect(repeats).toBeLessThanOrEqual(crashes);
      }),
    );
  });

  it('recovery follows what is bad, and nothing else', () => {
    fc.assert(
      fc.property(life, (steps) => {
        const { tells } = live(steps.map((one) => ({ ...one, crash: false })));
        for (const [i, { state }] of tells.entries())
          if (state === 'connected') expect(isBad(tells[i - 1]?.state ?? 'connected')).toBe(true);
          else expect(isBad(state)).toBe(true);
      }),
    );
  });

  it('what lasts is told: a bad state, and recovery if a bad one was told', () => {
    fc.assert(
      fc.property(life, fc.constantFrom<DestinationState>('connected', ...RED, ...AMBER), (steps, last) => {
        const { tells } = live([...steps, { state: last, lastsMs: TELL_EVERY_MS + 5 * MINUTE, crash: false }]);
        expect(tells.at(-1)?.state ?? 'connected').toBe(last);
      }),
    );
  });

  it('an amber state is told only after five minutes without a well moment', () => {
    fc.assert(
      fc.property(life, (steps) => {
        for (const { state, at, unwellSince } of live(steps).tells)
          if ((AMBER as readonly string[]).includes(state))
            expect(at - (unwellSince ?? at)).toBeGreaterThanOrEqual(5 * MINUTE);
      }),
    );
  });
});

interface Tell {
  readonly state: DestinationState;
  readonly at: number;
  readonly unwellSince: number | null;
}

/** Looks whenever the state changes and when a wait ends, as alerting does. */
function live(steps: readonly { state: DestinationState; lastsMs: number; crash: boolean }[]) {
  const tells: Tell[] = [];
  let crashes = 0;
  let alerted: Alerted | undefined;
  let unwellSince: number | null = null;
  let now = 0;
  for (const { state, lastsMs, crash } of steps) {
    const end = now + lastsMs;
    unwellSince = isBad(state) ? (unwellSince ?? now) : null;
    let willCrash = crash;
    for (let at: number | null = now; at !== null && at < end; ) {
      const decision = decide({ state, since: unwellSince ?? now }, alerted, at);
      if (decision.do === 'tell') {
        tells.push({ state, at, unwellSince });
        if (willCrash) crashes += 1;
        else alerted = { destination: 'd', state, toldAt: { ...alerted?.toldAt, [state]: at } };
        willCrash = false;
      } else at = decision.do === 'wait' ? decision.until : null;
    }
    now = end;
  }
  return { tells, crashes };
}
