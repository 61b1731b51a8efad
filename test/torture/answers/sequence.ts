import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { REFUSED_IN_A_ROW } from '../../../src/delivery/lane.ts';
import type { Random } from '../random.ts';
import { type Counted, sameIds } from './check-row.ts';
import type { AnswersRig } from './rig.ts';
import type { Row } from './row.ts';
import { ScriptedSiem } from './server.ts';
import type { Siem } from './siem.ts';

const ALL = { events: 1_000_000, bytes: 1e9 };

export interface SequenceOptions {
  /** Rows one after another, each meeting what the one before left. */
  readonly rows: number;
  /** Delivery dies and begins again at random moments. */
  readonly crashes: boolean;
}

/**
 * One lane through a random sequence of rows. Which rows meet which events is open, so what must hold is what always
 * must: everything is stored or a dead letter, what was not refused is no dead letter, nothing counts as delivered that
 * is not stored, and nothing is stored again but for an uncertain answer or a crash.
 */
export async function runSequence(
  rig: AnswersRig,
  siem: Siem,
  lane: string,
  random: Random,
  { rows, crashes }: SequenceOptions,
): Promise<Counted & { readonly crashes: number }> {
  const server = await ScriptedSiem.start(siem, () => rig.clock.now());
  const played: string[] = [];
  let died = 0;
  try {
    await rig.append(lane, random.between(1, 30));
    await rig.add(lane, {
      ...{ team: lane, kind: siem.kind, settings: { ...siem.settings(server.url), ...settingsFor(siem, random) } },
      withOwnEvents: random.next() < 0.5,
      configuredAgoMs: random.between(0, 60) * 60_000,
    });
    for (let i = 0; i < rows; i++) {
      const row = random.pick(siem.rows.filter(isMixable));
      played.push(row.row);
      server.arm(row);
      await rig.append(lane, random.between(0, 40), { padding: random.pick([20, 100, 100, 900, 9_000]) });
      for (let looks = random.between(0, 4); looks > 0; looks--) {
        if (crashes && random.next() < 0.35) {
          await dieAndReopen(rig, server, siem, lane, random);
          played.push('(crash)');
          died++;
        } else await step(rig, server, lane);
      }
    }
    server.arm(null);
    await rig.drain(lane, lane);
    const deadLetters = await judge(rig, server, lane);
    await rig.delivery.remove(lane, []);
    return {
      ...{ events: (await rig.logOf(lane)).length, faults: server.struck + died, deadLettered: deadLetters },
      repeats: [...server.stored.values()].reduce((sum, times) => sum + times - 1, 0),
      crashes: died,
    };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${siem.kind} ${lane}, after ${played.slice(-12).join(' → ')}: ${said}; ${server.problems.join('; ')}`,
      {
        cause: error,
      },
    );
  } finally {
    await server.close();
  }
}

/** Those that need no settings or time limits of their own, and end by themselves. */
function isMixable({ settings, answerTimeoutMs, expect }: Row): boolean {
  return settings === undefined && answerTimeoutMs === undefined && expect.isProbed !== true;
}

function settingsFor({ kind }: Siem, random: Random): Readonly<Record<string, unknown>> {
  if (kind === 'splunk') return { acknowledge: random.next() < 0.3 };
  return kind === 'qradar' ? { payload: random.pick(['json', 'leef']) } : {};
}

/** Rests, looks, and lets the next try come. */
async function step(rig: AnswersRig, server: ScriptedSiem, lane: string): Promise<void> {
  const { counts, nextAttemptAt } = await rig.rest(lane, lane);
  assert.ok(counts.delivered <= server.stored.size, `${counts.delivered} delivered of ${server.stored.size} stored`);
  await rig.deadLetters(lane);
  if (nextAttemptAt !== null) await rig.clock.advance(nextAttemptAt - rig.clock.now());
}

/**
 * What was in flight is dropped. What the SIEM has stored and the lane, as it comes back, has not settled may be stored
 * once more. A hold survives.
 */
async function dieAndReopen(
  rig: AnswersRig,
  server: ScriptedSiem,
  { kind }: Siem,
  lane: string,
  random: Random,
): Promise<void> {
  for (let turns = random.between(0, 120); turns > 0; turns--) await setImmediate();
  const { progress, calls } = await rig.restart(async () => {
    await server.deserted();
    const { destinations, log } = rig.store;
    const progress = await destinations.progress(lane);
    assert.ok(progress);
    const ahead = new Set(progress.settledAhead);
    const open = (await log.read(lane, progress.cursor, ALL)).filter(({ sequence }) => !ahead.has(sequence));
    const redriving = (await destinations.deadLetters(lane, { limit: 10_000, redriving: true })).items;
    server.doubt([...open, ...redriving].map(({ id }) => id).filter((id) => server.stored.has(id)));
    return { progress, calls: server.calls.length };
  });
  // QRadar is checked by connecting, and after ten refusals by sending one event.
  if (!progress.held || kind === 'qradar' || progress.refusedRun.length >= REFUSED_IN_A_ROW) return;
  await rig.rest(lane, lane);
  assert.notEqual(server.calls[calls]?.call, 'post', `${progress.state} was forgotten: events went out unchecked`);
}

/** Returns how many dead letters there are. */
async function judge(rig: AnswersRig, server: ScriptedSiem, lane: string): Promise<number> {
  assert.deepEqual([...server.problems, ...rig.bugs], []);
  const { counts } = await rig.rest(lane, lane);
  const log = await rig.store.log.read(lane, 0, { ...ALL, events: counts.matched + counts.filtered });
  const matching = log.filter(({ eventCategory }) => counts.filtered === 0 || eventCategory === 'authentication');
  const ids = matching.map(({ id }) => id);
  const letters = (await rig.deadLetters(lane)).map(({ id }) => id);
  const dead = new Set(letters);
  const only = (isWanted: (id: string) => boolean): string[] => ids.filter(isWanted);
  sameIds(
    only((id) => !server.stored.has(id) && !dead.has(id)),
    [],
    'lost',
  );
  sameIds(
    letters.filter((id) => !server.refused.has(id)),
    [],
    'dead letters that nobody refused',
  );
  sameIds(
    letters.filter((id) => server.stored.has(id) && !server.doubtful.has(id) && !server.concealed.has(id)),
    [],
    'dead letters that were stored',
  );
  const again = [...server.stored, ...server.diverted].filter(([id, n]) => n > 1 + (server.doubtful.get(id) ?? 0));
  sameIds(
    again.map(([id]) => id),
    [],
    'stored again',
  );
  const expected = { matched: ids.length, delivered: ids.length - dead.size, deadLettered: dead.size, pending: 0 };
  assert.deepEqual({ ...counts, filtered: 0 }, { ...expected, filtered: 0 }, 'the counters are not exact');
  return dead.size;
}
