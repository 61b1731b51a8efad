import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoggedEvent, plainEvent, withPlace } from '../event/logged-event.ts';
import { countTo, NOON, newEvent, newEvents, readAll, type StoreFixture } from './conformance-fixture.ts';
import { StoreUnavailable } from './event-log.ts';

const UNLIMITED = { events: 1_000_000, bytes: 1_000_000_000 };
const never = new AbortController().signal;

export function describeLog(fixture: StoreFixture): void {
  describe('append', () => {
    it('gives each team sequences without holes, whoever appends at the same time', async () => {
      const { log } = fixture.store;
      const calls = countTo(40).map((call) => [
        ...newEvents('a', (call % 7) + 1, `${call}-`),
        ...newEvents('b', (call % 3) + 1, `${call}-`),
      ]);
      const answers = await Promise.all(calls.map((events) => log.append(events)));
      for (const team of ['a', 'b']) {
        const events = await readAll(log, team);
        expect(events.map((event) => event.sequence)).toEqual(countTo(events.length));
        const placed = calls.flatMap((call, i) => call.map((event, j) => ({ event, answer: answers[i]?.[j] })));
        const expected = placed.filter(({ event }) => event.team === team);
        expect(new Map(events.map((event) => [event.id, { kind: 'appended', sequence: event.sequence }]))).toEqual(
          new Map(expected.map(({ event, answer }) => [event.id, answer])),
        );
      }
    });

    it('keeps the JSON as it came, with its place written in', async () => {
      const { log } = fixture.store;
      const sent = newEvent('a', 'id-1', 'Grüße, 世界 🎉', {
        eventType: 'x.y',
        eventCategory: 'gateway',
        timestamp: 5,
      });
      await log.append([newEvent('a', 'id-0'), sent]);
      const json = withPlace(sent.json, 2, NOON);
      const expected: LoggedEvent = {
        team: 'a',
        sequence: 2,
        id: 'id-1',
        eventType: 'x.y',
        eventCategory: 'gateway',
        timestamp: 5,
        receivedAt: NOON,
        json,
        bytes: Buffer.byteLength(json),
      };
      expect(await readAll(log, 'a', 1)).toEqual([expected]);
      await fixture.reopen();
      expect(await readAll(fixture.store.log, 'a', 1)).toEqual([expected]);
      expect(plainEvent((await fixture.store.log.find('a', 'id-1'))!)).toEqual(expected);
    });

    it('tells duplicates and conflicts from new events, also within one call', async () => {
      const { log } = fixture.store;
      expect(
        await log.append([newEvent('a', 'x'), newEvent('a', 'x'), newEvent('a', 'x', 'other'), newEvent('a', 'y')]),
      ).toEqual([
        { kind: 'appended', sequence: 1 },
        { kind: 'duplicate', sequence: 1 },
        { kind: 'conflict', sequence: 1 },
        { kind: 'appended', sequence: 2 },
      ]);
      await fixture.reopen();
      expect(await fixture.store.log.append([newEvent('a', 'y', 'other'), newEvent('a', 'y')])).toEqual([
        { kind: 'conflict', sequence: 2 },
        { kind: 'duplicate', sequence: 2 },
      ]);
      expect(await readAll(fixture.store.log, 'a')).toHaveLength(2);
    });

    it('keeps one of many appended at the same time under one id', async () => {
      const { log } = fixture.store;
      const answers = await Promise.all(countTo(10).map(() => log.append([newEvent('a', 'x')])));
      expect(answers.filter(([answer]) => answer?.kind === 'appended')).toHaveLength(1);
      expect(answers.filter(([answer]) => answer?.kind === 'duplicate')).toHaveLength(9);
    });

    it('never mixes teams: the same id in two teams is two events', async () => {
      const { log } = fixture.store;
      await log.append([newEvent('a', 'x', 'of a'), newEvent('b', 'x', 'of b'), newEvent('b', 'only-b')]);
      expect((await readAll(log, 'a')).map((event) => event.id)).toEqual(['x']);
      expect((await log.find('a', 'x'))?.json).toContain('of a');
      expect((await log.find('b', 'x'))?.json).toContain('of b');
      expect(await log.find('a', 'only-b')).toBeUndefined();
      expect(await log.bounds('b')).toEqual({ first: 1, last: 2 });
    });

    it('never lets receivedAt decrease, though the clock does, also across a restart', async () => {
      for (const [index, now] of [NOON, NOON - 5_000, NOON + 10, NOON - 60_000].entries()) {
        fixture.now = now;
        if (index === 3) await fixture.reopen();
        await fixture.store.log.append([newEvent('a', `event-${index}`)]);
      }
      const events = await readAll(fixture.store.log, 'a');
      expect(events.map((event) => event.receivedAt)).toEqual([NOON, NOON, NOON + 10, NOON + 10]);
    });

    it('keeps everything across restarts', async () => {
      await fixture.store.log.append(newEvents('a', 700));
      const before = await readAll(fixture.store.log, 'a');
      await fixture.reopen();
      expect(await readAll(fixture.store.log, 'a')).toEqual(before);
      expect(await fixture.store.log.append([newEvent('a', 'next')])).toEqual([{ kind: 'appended', sequence: 701 }]);
    });

    it('rejects once it is closed', async () => {
      const { log } = fixture.store;
      await fixture.reopen();
      await expect(log.append([newEvent('a', 'x')])).rejects.toThrow(StoreUnavailable);
    });

    it('proves that it can write', async () => {
      await expect(fixture.store.log.check()).resolves.toBeUndefined();
    });
  });

  describe('reading', () => {
    it('shows every reader every event in order while others append', async () => {
      const { log } = fixture.store;
      const total = 2_000;
      const reader = async (): Promise<number[]> => {
        const seen: number[] = [];
        while (seen.length < total) {
          await log.waitForMore('a', seen.length, never);
          for (const event of await log.read('a', seen.length, { events: 37, bytes: 100_000 }))
            seen.push(event.sequence);
        }
        return seen;
      };
      const appender = async (_: unknown, name: number): Promise<void> => {
        for (let done = 0; done < 500; done += 25) {
          const events = newEvents('a', 25, `${name}-${done}-`);
          // Calls of different sizes, unawaited, overlap in whatever way the backend allows.
          await Promise.all([
            log.append(events.slice(0, 1)),
            log.append(events.slice(1, 9)),
            log.append(events.slice(9)),
          ]);
        }
      };
      const readers = Array.from({ length: 3 }, reader);
      await Promise.all(Array.from({ length: 4 }, appender));
      for (const seen of await Promise.all(readers)) expect(seen).toEqual(countTo(total));
    });

    it('gives the same bytes early and late, however the log is rearranged meanwhile', async () => {
      const { log } = fixture.store;
      const early: LoggedEvent[] = [];
      for (let call = 0; early.length < 900; call++) {
        await log.append(newEvents('a', (call % 40) + 1, `${call}-`));
        early.push(...(await readAll(log, 'a', early.length)));
      }
      expect(await readAll(log, 'a')).toEqual(early);
      await fixture.reopen();
      expect(await readAll(fixture.store.log, 'a')).toEqual(early);
    });

    it('stops at whichever limit comes first, but returns one event at least', async () => {
      await fixture.store.log.append(newEvents('a', 600));
      for (const isReopened of [false, true]) {
        if (isReopened) await fixture.reopen();
        const { log } = fixture.store;
        const sequences = async (after: number, limit: { events: number; bytes: number }): Promise<number[]> =>
          (await log.read('a', after, limit)).map((event) => event.sequence);
        expect(await sequences(0, { events: 3, bytes: 1e9 })).toEqual([1, 2, 3]);
        expect(await sequences(250, { events: 10, bytes: 1e9 })).toEqual(countTo(260).slice(250));
        const { bytes } = (await log.read('a', 300, { events: 1, bytes: 0 }))[0]!;
        expect(await sequences(300, { events: 100, bytes: 2 * bytes + 1 })).toEqual([301, 302]);
        expect(await sequences(300, { events: 100, bytes: 2 * bytes })).toEqual([301, 302]);
        expect(await sequences(300, { events: 100, bytes: 1 })).toEqual([301]);
        expect(await sequences(600, UNLIMITED)).toEqual([]);
        expect(await log.read('nobody', 0, UNLIMITED)).toEqual([]);
      }
    });

    it('takes events of 256 KiB, many of them', async () => {
      const { log } = fixture.store;
      const content = 'x'.repeat(256 * 1024);
      for (let call = 0; call < 4; call++)
        await log.append(countTo(5).map((index) => newEvent('a', `large-${call}-${index}`, content)));
      await fixture.reopen();
      const events = await readAll(fixture.store.log, 'a');
      expect(events.map((event) => event.sequence)).toEqual(countTo(20));
      expect(events.every((event) => event.json.includes(content))).toBe(true);
    });

    it('wakes those who wait for more of their team, and only those', async () => {
      const { log } = fixture.store;
      await log.append([newEvent('a', 'first')]);
      await log.waitForMore('a', 0, never);
      let isWoken = false;
      const waiting = log.waitForMore('a', 1, never).then(() => {
        isWoken = true;
      });
      await log.append([newEvent('b', 'first'), newEvent('a', 'first')]);
      expect(isWoken).toBe(false);
      await log.append([newEvent('a', 'second')]);
      await waiting;
      const abort = new AbortController();
      const aborted = log.waitForMore('a', 2, abort.signal);
      abort.abort();
      await aborted;
      await log.waitForMore('a', 2, abort.signal);
    });

    it('finds the first event received since a moment', async () => {
      const { log } = fixture.store;
      for (let minute = 0; minute < 6; minute++) {
        fixture.now = NOON + minute * 60_000;
        await log.append(newEvents('a', 100, `${minute}-`));
      }
      expect(await log.firstReceivedSince('a', 0)).toBe(1);
      expect(await log.firstReceivedSince('a', NOON)).toBe(1);
      expect(await log.firstReceivedSince('a', NOON + 1)).toBe(101);
      expect(await log.firstReceivedSince('a', NOON + 3 * 60_000)).toBe(301);
      expect(await log.firstReceivedSince('a', NOON + 5 * 60_000)).toBe(501);
      expect(await log.firstReceivedSince('a', NOON + 5 * 60_000 + 1)).toBe(601);
      expect(await log.firstReceivedSince('nobody', 0)).toBe(1);
    });

    it("lists the team's vocabulary, sorted, also when its events are gone", async () => {
      const { log } = fixture.store;
      await log.append([
        newEvent('a', '1', '', { eventType: 'z.z', eventCategory: 'gateway' }),
        newEvent('a', '2', '', { eventType: 'b.b', eventCategory: 'administrative' }),
        newEvent('a', '3', '', { eventType: 'b.b', eventCategory: 'gateway' }),
        newEvent('b', '1', '', { eventType: 'c.c', eventCategory: 'other' }),
      ]);
      await log.deleteThrough('a', 3);
      const expected = { categories: ['administrative', 'gateway'], eventTypes: ['b.b', 'z.z'] };
      expect(await log.vocabulary('a')).toEqual(expected);
      expect(await log.vocabulary('nobody')).toEqual({ categories: [], eventTypes: [] });
    });
  });

  describe('retention', () => {
    it('deletes up to a sequence and not one more, and forgets the ids', async () => {
      const { log } = fixture.store;
      await log.append(newEvents('a', 600));
      await log.append(newEvents('b', 10));
      const before = await readAll(log, 'a');
      expect(await log.deleteThrough('a', 300)).toBe(300);
      expect(await log.deleteThrough('a', 300)).toBe(0);
      expect(await log.bounds('a')).toEqual({ first: 301, last: 600 });
      expect(await readAll(log, 'a')).toEqual(before.slice(300));
      expect(await log.find('a', 'event-300')).toBeUndefined();
      expect((await log.find('a', 'event-301'))?.sequence).toBe(301);
      expect(await log.append([newEvent('a', 'event-300'), newEvent('a', 'event-301')])).toEqual([
        { kind: 'appended', sequence: 601 },
        { kind: 'duplicate', sequence: 301 },
      ]);
      expect(await log.firstReceivedSince('a', 0)).toBe(301);
      expect(await readAll(log, 'b')).toHaveLength(10);
    });

    it('never gives a sequence twice, even when everything was deleted', async () => {
      await fixture.store.log.append(newEvents('a', 5));
      expect(await fixture.store.log.bounds('a')).toEqual({ first: 1, last: 5 });
      expect(await fixture.store.log.deleteThrough('a', 99)).toBe(5);
      await fixture.reopen();
      const { log } = fixture.store;
      expect(await log.bounds('a')).toEqual({ first: 6, last: 5 });
      expect(await log.append([newEvent('a', 'event-1')])).toEqual([{ kind: 'appended', sequence: 6 }]);
      expect(await log.bounds('nobody')).toEqual({ first: 0, last: 0 });
      expect(await log.deleteThrough('nobody', 9)).toBe(0);
    });
  });

  it('behaves like a plain list under random appends, duplicates, deletions, clocks and restarts', async () => {
    const steps = fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({ kind: fc.constant('append'), ids: idRange(), calls: fc.integer({ min: 1, max: 3 }) }),
        },
        {
          weight: 2,
          arbitrary: fc.record({ kind: fc.constant('delete'), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
        },
        {
          weight: 1,
          arbitrary: fc.record({ kind: fc.constant('clock'), byMs: fc.integer({ min: -5_000, max: 5_000 }) }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
      ),
      { maxLength: 12 },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const team = `team-${run++}`;
        const model: { id: string; sequence: number; receivedAt: number }[] = [];
        let first = 1;
        for (const step of script) await play(step);
        const { log } = fixture.store;
        const kept = model.filter((event) => event.sequence >= first);
        const events = await readAll(log, team);
        expect(events.map(({ id, sequence, receivedAt }) => ({ id, sequence, receivedAt }))).toEqual(kept);
        expect(await log.bounds(team)).toEqual({ first: model.length === 0 ? 0 : first, last: model.length });
        const middle = kept[Math.floor(kept.length / 2)];
        if (middle) {
          expect((await log.find(team, middle.id))?.sequence).toBe(middle.sequence);
          const since = kept.find((event) => event.receivedAt >= middle.receivedAt);
          expect(await log.firstReceivedSince(team, middle.receivedAt)).toBe(since?.sequence);
        }

        async function play(step: (typeof script)[number]): Promise<void> {
          if ('ids' in step) {
            const events = countTo(step.ids.count).map((n) => newEvent(team, `event-${step.ids.from + n}`));
            const size = Math.ceil(events.length / step.calls);
            const calls = countTo(step.calls).map((call) => events.slice((call - 1) * size, call * size));
            const answers = (await Promise.all(calls.map((call) => fixture.store.log.append(call)))).flat();
            for (const [index, { id }] of events.entries()) {
              const known = model.find((event) => event.id === id && event.sequence >= first);
              const receivedAt = Math.max(fixture.now, model.at(-1)?.receivedAt ?? 0);
              if (!known) model.push({ id, sequence: model.length + 1, receivedAt });
              expect(answers[index]).toEqual(
                known ? { kind: 'duplicate', sequence: known.sequence } : { kind: 'appended', sequence: model.length },
              );
            }
          } else if ('share' in step) {
            const through = first - 1 + Math.round(step.share * (model.length - first + 1));
            expect(await fixture.store.log.deleteThrough(team, through)).toBe(through - first + 1);
            first = through + 1;
          } else if ('byMs' in step) fixture.now += step.byMs;
          else await fixture.reopen();
        }
      }),
      { numRuns: 40 },
    );
  });
}

/** Ranges that overlap often, so that duplicates are frequent, and are long enough to fill rows. */
function idRange(): fc.Arbitrary<{ from: number; count: number }> {
  return fc.record({ from: fc.integer({ min: 0, max: 900 }), count: fc.integer({ min: 1, max: 300 }) });
}
