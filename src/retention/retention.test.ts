import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { NewEvent } from '../event/logged-event.ts';
import { openSqliteStore } from '../store/sqlite/store.ts';
import { startRetention } from './retention.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A real store whose clock is moved by hand; an hour's sleep ends when `hourPasses` is called. */
function openRig(settled: Readonly<Record<string, number>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'retention-'));
  let now = START;
  let slept = 0;
  const hour = new EventTarget();
  const clock = {
    now: () => now,
    sleep: async (_: number, signal: AbortSignal) => {
      slept++;
      if (!signal.aborted) await Promise.race([once(signal, 'abort'), once(hour, 'passed')]);
    },
  };
  const store = openSqliteStore({ folder, clock, defaultRetentionDays: 10 });
  const errors: string[] = [];
  const warnings: string[] = [];
  const note = (): void => {};
  const logger = {
    debug: note,
    info: note,
    warn: (_: object, text: string) => void warnings.push(text),
    error: (_: object, text: string) => void errors.push(text),
    child: () => logger,
  };
  const pruned: number[] = [];
  const deletedThrough: number[] = [];
  undo.push(
    () => rmSync(folder, { recursive: true }),
    () => store.close(),
  );
  return {
    log: store.log,
    errors,
    warnings,
    pruned,
    pass: (days: number) => {
      now += days * DAY_MS;
    },
    hourPasses: () => hour.dispatchEvent(new Event('passed')),
    /** Hours pass, each with its round. */
    hours: async (count: number) => {
      for (const until = slept + count; slept < until; ) {
        const before = slept;
        now += DAY_MS / 24;
        hour.dispatchEvent(new Event('passed'));
        while (slept === before) await setImmediate();
      }
    },
    deletedThrough,
    remove: (team: string) => store.teams.remove(team, now, []),
    append: async (team: string, count: number) => {
      const { last } = await store.log.bounds(team);
      await store.log.append(Array.from({ length: count }, (_, i) => event(team, last + i + 1)));
    },
    start: (fails?: string) => {
      const retention = startRetention({
        log: {
          bounds: store.log.bounds,
          firstReceivedSince: store.log.firstReceivedSince,
          deleteThrough: (team, through) => {
            deletedThrough.push(through);
            return store.log.deleteThrough(team, through);
          },
        },
        teams: store.teams,
        settledThrough: async (team) => {
          if (team === fails) throw new Error('cannot say');
          return settled[team] ?? (await store.log.bounds(team)).last;
        },
        pruneAttempts: async (at) => void pruned.push(at),
        clock,
        logger,
      });
      undo.push(() => retention.stop());
      return retention;
    },
  };
}

function event(team: string, i: number): NewEvent {
  const json = `{"timestamp":"2020-01-01T00:00:00.000Z","id":"${i}"}`;
  return { team, id: String(i), eventType: 't', eventCategory: 'c', timestamp: 0, hash: String(i), json };
}

describe('retention', () => {
  it('deletes by time of receipt, not by the time an event carries', async () => {
    const rig = openRig();
    await rig.append('a', 300);
    rig.pass(5);
    await rig.append('a', 200);
    rig.pass(5.5);
    const report = await rig.start().runNow();
    expect(report).toEqual({ at: START + 10.5 * DAY_MS, deleted: 300, held: [] });
    expect(await rig.log.bounds('a')).toEqual({ first: 301, last: 500 });
    const [oldest] = await rig.log.read('a', 0, { events: 1, bytes: 1 });
    expect(oldest?.sequence).toBe(301);
  });

  it('keeps an event that is exactly as old as its retention', async () => {
    const rig = openRig();
    await rig.append('a', 3);
    rig.pass(10);
    expect((await rig.start().runNow()).deleted).toBe(0);
  });

  it('keeps what a destination has not got, and says how much', async () => {
    const rig = openRig({ a: 120, b: 0 });
    await rig.append('a', 300);
    await rig.append('b', 7);
    rig.pass(11);
    await rig.append('a', 50);
    const retention = rig.start();
    const held = [
      { team: 'a', events: 180 },
      { team: 'b', events: 7 },
    ];
    expect(await retention.runNow()).toMatchObject({ deleted: 120, held });
    expect(await rig.log.bounds('a')).toEqual({ first: 121, last: 350 });
    expect(await retention.runNow()).toMatchObject({ deleted: 0, held });
  });

  it('deletes whatever a deleted team left, in steps, though a destination has not got it', async () => {
    const rig = openRig({ a: 0 });
    for (let appended = 0; appended < 70_000; appended += 10_000) await rig.append('a', 10_000);
    await rig.append('b', 3);
    await rig.remove('a');
    const retention = rig.start();
    expect(await retention.runNow()).toEqual({ at: START, deleted: 70_000, held: [] });
    expect(await rig.log.bounds('a')).toEqual({ first: 70_001, last: 70_000 });
    expect((await rig.log.bounds('b')).first).toBe(1);
    expect(await retention.runNow()).toMatchObject({ deleted: 0 });
    expect(rig.deletedThrough).toEqual([65_536, 70_000]);
  });

  it('goes on with other teams when one fails', async () => {
    const rig = openRig();
    await rig.append('a', 5);
    await rig.append('b', 6);
    rig.pass(11);
    expect(await rig.start('a').runNow()).toMatchObject({ deleted: 6 });
    expect(rig.errors).toHaveLength(1);
    expect((await rig.log.bounds('a')).first).toBe(1);
  });

  it('runs at start and again each hour, and drops attempts older than 30 days', async () => {
    const rig = openRig();
    await rig.append('a', 5);
    const retention = rig.start();
    expect((await retention.runNow()).deleted).toBe(0);
    for (let rounds = 1; rounds <= 11; rounds++) {
      rig.pass(1);
      rig.hourPasses();
      while (rig.pruned.length <= rounds) await setImmediate();
    }
    await retention.stop();
    expect((await rig.log.bounds('a')).first).toBe(6);
    expect(rig.pruned[0]).toBe(START - 30 * DAY_MS);
    expect(rig.pruned.at(-1)).toBe(START - 19 * DAY_MS);
  });

  it('deletes nothing on the word of a clock that leapt forward, until it has kept its time for a day', async () => {
    const rig = openRig();
    await rig.append('a', 5);
    const retention = rig.start();
    await retention.runNow();
    rig.pass(3650);
    expect((await retention.runNow()).deleted).toBe(0);
    rig.pass(-3650);
    expect((await retention.runNow()).deleted).toBe(0);
    expect((await rig.log.bounds('a')).first).toBe(1);
    rig.pass(3650);
    await rig.hours(24);
    expect((await rig.log.bounds('a')).first).toBe(1);
    await rig.hours(1);
    expect((await rig.log.bounds('a')).first).toBe(6);
    expect(rig.warnings).toHaveLength(2);
  });

  it('doubts a clock that is a month past all that was received, from the start', async () => {
    const rig = openRig();
    await rig.append('a', 5);
    rig.pass(40);
    const retention = rig.start();
    expect((await retention.runNow()).deleted).toBe(0);
    await rig.hours(25);
    expect((await rig.log.bounds('a')).first).toBe(6);
  });
});
