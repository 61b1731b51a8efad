import assert from 'node:assert/strict';
import type { Health } from '../../../src/delivery/delivery.ts';
import type { AnswersRig } from './rig.ts';
import type { Expected, Row } from './row.ts';
import { ScriptedSiem } from './server.ts';
import type { Siem } from './siem.ts';

const EVENTS = 8;
const FIRST_RECHECK_MS = 30_000;

interface Case {
  readonly server: ScriptedSiem;
  readonly row: Row;
  /** All its events, in order. */
  readonly ids: readonly string[];
  readonly lane: string;
}

export interface Counted {
  readonly events: number;
  readonly faults: number;
  readonly repeats: number;
  readonly deadLettered: number;
}

/** One row alone: what the lane makes of it, and that all the rest arrives once it is over. Throws with what is wrong. */
export async function checkRow(rig: AnswersRig, siem: Siem, row: Row, lane: string): Promise<Counted> {
  const server = await ScriptedSiem.start(siem, () => rig.clock.now());
  try {
    const ids = await rig.append(lane, row.events?.count ?? EVENTS, row.events);
    server.arm(row);
    rig.answerTimeoutMs = row.answerTimeoutMs;
    const { configuredAgoMs } = row;
    const settings = { ...siem.settings(server.url), ...row.settings };
    await rig.add(lane, {
      ...{ team: lane, kind: siem.kind, settings },
      ...(configuredAgoMs !== undefined && { configuredAgoMs }),
    });
    const health = await rig.rest(lane, lane);
    judgeRest(health, row.expect, server, rig.clock.now());
    assert.ok(server.struck > 0 || row.expect.posts === 0, 'the row was never answered');
    const given = { server, row, ids, lane };
    if (health.nextAttemptAt !== null) await waitOut(rig, given, health.nextAttemptAt);
    await judgeEnd(rig, given);
    assert.ok(row.calls?.(server.calls) ?? true, `${row.calls}`);
    await rig.delivery.remove(lane, []);
    return {
      ...{ events: ids.length, faults: server.struck, deadLettered: row.expect.deadLetters?.at.length ?? 0 },
      repeats: [...server.stored.values()].reduce((sum, times) => sum + times - 1, 0),
    };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`${siem.kind} ${row.row}: ${said}${server.problems.map((problem) => `; ${problem}`).join('')}`, {
      cause: error,
    });
  } finally {
    rig.answerTimeoutMs = undefined;
    await server.close();
  }
}

/** The first rest: state, words, waiting time, counters. */
function judgeRest(health: Health, expect: Expected, server: ScriptedSiem, now: number): void {
  const { state, cause, fix, counts, nextAttemptAt } = health;
  const dead = expect.deadLetters?.at.length ?? 0;
  const all = counts.matched;
  assert.equal(state, expect.state, `it is ${state}: ${cause} – ${fix}`);
  if (expect.cause) assert.match(cause ?? '', expect.cause);
  else if (expect.effect === 'delivered') assert.equal(cause, null);
  if (expect.fix) assert.match(fix ?? '', expect.fix);
  assert.equal(
    server.posts.length,
    expect.posts ?? 1,
    `${server.posts.map(({ ids }) => ids.length)} events were posted`,
  );
  const delivered = expect.effect === 'delivered' ? all - dead : (expect.taken ?? 0);
  assert.deepEqual(
    { delivered: counts.delivered, deadLettered: counts.deadLettered },
    { delivered, deadLettered: dead },
  );
  if (expect.effect === 'delivered') return;
  const [shortest, longest] =
    expect.waitsMs ?? (expect.effect === 'held' ? [FIRST_RECHECK_MS, FIRST_RECHECK_MS] : [100, 1_000]);
  const wait = nextAttemptAt! - now;
  assert.ok(wait >= shortest && wait <= longest, `it waits ${wait} ms, not ${shortest} to ${longest}`);
}

/** Nothing goes out before its time; held, a check goes first; then exactly what was not taken, in order. */
async function waitOut(rig: AnswersRig, { server, row, ids, lane }: Case, due: number): Promise<void> {
  const { effect, taken = 0, resumesAt = taken, isProbed } = row.expect;
  const before = server.calls.length;
  const posted = server.posts.length;
  const last = server.posts.at(-1);
  await rig.clock.advance(due - rig.clock.now() - 1);
  await rig.settle();
  assert.equal(server.calls.length, before, 'something was sent before its time');
  await rig.clock.advance(1);
  if (isProbed) server.arm(null);
  await rig.drain(lane, lane);
  const [resumed] = server.calls.slice(before);
  // QRadar's check only connects: whatever is sent there becomes an event.
  if (effect === 'held' && !isProbed && !row.isCheckedByConnecting) assert.notEqual(resumed?.call, 'post', 'no check');
  if (isProbed) return;
  const next = server.posts[posted];
  assert.ok(next, 'nothing was sent');
  sameIds(next.ids, ids.slice(resumesAt, resumesAt + next.ids.length), 'what was sent next');
  if (effect === 'kept' && resumesAt === 0 && last && row.isReframed !== true)
    assert.ok(next.wire.equals(last.wire), 'another body was sent again');
}

/** Every event is stored or a dead letter, the dead letters are the row's, and repeats are explained. */
async function judgeEnd(rig: AnswersRig, { server, row, ids, lane }: Case): Promise<void> {
  assert.deepEqual([...server.problems, ...rig.bugs], []);
  const { at, reason } = row.expect.deadLetters ?? { at: [], reason: /^/ };
  const condemned = at.map((place) => ids[place]!);
  const deadLetters = await rig.deadLetters(lane);
  sameIds(
    deadLetters.map(({ id }) => id),
    condemned,
    'dead letters',
  );
  for (const letter of deadLetters) assert.match(letter.reason, reason);
  const missing = ids.filter((id) => !server.stored.has(id) && !condemned.includes(id));
  sameIds(missing, [], 'lost');
  const strangers = [...server.stored.keys()].filter((id) => !ids.includes(id) || condemned.includes(id));
  sameIds(strangers, [], 'dead letters that were stored');
  const repeated = [...server.stored, ...server.diverted].filter(([id, n]) => n > 1 + (server.doubtful.get(id) ?? 0));
  sameIds(
    repeated.map(([id]) => id),
    [],
    'stored again',
  );
  const { counts, state } = await rig.look(lane, lane);
  const expected = { ...counts, matched: ids.length, delivered: ids.length - at.length, deadLettered: at.length };
  assert.deepEqual(counts, expected, 'the counters are not exact');
  assert.equal(state, row.expect.state === 'pending' ? 'pending' : 'connected');
}

/** Fails with the first difference, not with all ids. */
export function sameIds(actual: readonly string[], expected: readonly string[], what: string): void {
  const place = actual.findIndex((id, i) => id !== expected[i]);
  if (place < 0 && actual.length === expected.length) return;
  const at = place < 0 ? actual.length : place;
  throw new Error(
    `${what}: ${actual.length} events, not ${expected.length}; ${actual[at]} where ${expected[at]} should be`,
  );
}
