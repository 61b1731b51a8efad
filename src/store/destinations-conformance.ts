import { describe, expect, it } from 'vitest';
import { countTo, NOON, newEvent, readAll, type StoreFixture } from './conformance-fixture.ts';
import type { Attempt, DeadLetter, Page, Progress, Replay, Settlement, StoredDestination } from './destinations.ts';

const HOUR_MS = 3_600_000;

export function describeDestinations(fixture: StoreFixture): void {
  const create = (id = 'd1', team = 'a'): Promise<void> =>
    fixture.store.destinations.create(destination(id, team), progress(), [newEvent(team, `created-${id}`)]);
  const settle = (more: Partial<Settlement>): Promise<void> =>
    fixture.store.destinations.settle({ destination: 'd1', progress: progress(), ...more });
  const auditIds = async (team = 'a'): Promise<string[]> =>
    (await readAll(fixture.store.log, team)).map((event) => event.id);

  describe('destinations', () => {
    it('keeps, changes and removes them together with their audit events', async () => {
      await create('d1', 'a');
      await create('d2', 'b');
      const changed = { ...destination('d1', 'a'), name: 'renamed', paused: { by: 'u1', at: NOON } };
      await fixture.store.destinations.update(changed, [newEvent('a', 'updated')]);
      await fixture.reopen();
      const { destinations } = fixture.store;
      expect(await destinations.get('d1')).toEqual(changed);
      expect(await destinations.list()).toEqual([changed, destination('d2', 'b')]);
      expect(await destinations.list('b')).toEqual([destination('d2', 'b')]);
      expect(await destinations.progress('d1')).toEqual(progress());
      await destinations.remove('d1', [newEvent('a', 'removed')]);
      expect(await destinations.get('d1')).toBeUndefined();
      expect(await destinations.progress('d1')).toBeUndefined();
      expect(await auditIds()).toEqual(['created-d1', 'updated', 'removed']);
    });

    it('leaves nothing of a change that cannot be made, not even its audit event', async () => {
      const { destinations } = fixture.store;
      await create();
      const audit = [newEvent('a', 'not to be seen')];
      await expect(destinations.create(destination('d1', 'b'), progress(), audit)).rejects.toThrow();
      await expect(destinations.update(destination('nowhere', 'a'), audit)).rejects.toThrow('nowhere');
      await expect(destinations.remove('nowhere', audit)).rejects.toThrow('nowhere');
      await expect(settle({ destination: 'nowhere', audit, attempt: attempt(), replay: replay('r1') })).rejects.toThrow(
        'nowhere',
      );
      expect(await auditIds()).toEqual(['created-d1']);
      expect(await destinations.list()).toEqual([destination('d1', 'a')]);
    });

    it('lets one that fails fail alone, whatever else is asked for at the same time', async () => {
      await create();
      const results = await Promise.allSettled([
        fixture.store.log.append([newEvent('a', 'one')]),
        settle({ destination: 'nowhere', audit: [newEvent('a', 'lost')] }),
        settle({ progress: { ...progress(), cursor: 7 }, audit: [newEvent('a', 'kept')] }),
        fixture.store.log.append([newEvent('a', 'two')]),
      ]);
      expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
      expect((await auditIds()).toSorted()).toEqual(['created-d1', 'kept', 'one', 'two']);
      expect((await fixture.store.destinations.progress('d1'))?.cursor).toBe(7);
    });

    it('writes settlements one after the other, and all of them or none', async () => {
      await create();
      const settlement = (cursor: number, rest: Partial<Settlement> = {}): Settlement => ({
        ...{ destination: 'd1', progress: { ...progress(), cursor }, attempt: attempt({ at: cursor }) },
        ...rest,
      });
      const letters = { deadLetters: [deadLetter(1)], audit: [newEvent('a', 'kept')] };
      await fixture.store.destinations.settle(settlement(2, letters), settlement(5, { redriven: ['event-1'] }));
      const { destinations } = fixture.store;
      await expect(destinations.settle(settlement(7), settlement(9, { destination: 'nowhere' }))).rejects.toThrow(
        'nowhere',
      );
      await fixture.reopen();
      expect((await fixture.store.destinations.progress('d1'))?.cursor).toBe(5);
      const { items } = await fixture.store.destinations.attempts('d1', { limit: 10 });
      expect(items.map(({ at }) => at)).toEqual([5, 2]);
      expect((await fixture.store.destinations.deadLetters('d1', { limit: 10 })).items).toEqual([]);
      expect(await auditIds()).toEqual(['created-d1', 'kept']);
    });

    it('writes progress whole', async () => {
      await create();
      const whole: Progress = {
        ...progress(),
        cursor: 10,
        settledAhead: [12, 15],
        scanned: 20,
        matched: 15,
        filtered: 5,
        state: 'authentication_failed',
        cause: 'Splunk answered "Invalid token"',
        fix: 'Create a new token',
        held: true,
        refusedRun: ['x', 'y'],
        lastSuccessAt: NOON,
        lastError: { at: NOON, reason: 'reset' },
      };
      await settle({ progress: whole, audit: [newEvent('a', 'state changed')] });
      await fixture.reopen();
      expect(await fixture.store.destinations.progress('d1')).toEqual(whole);
      expect(await auditIds()).toEqual(['created-d1', 'state changed']);
    });

    it('removes dead letters, attempts and replays with their destination', async () => {
      await create();
      await settle({ deadLetters: [deadLetter(1)], attempt: attempt(), replay: replay('r1') });
      await fixture.store.destinations.remove('d1', []);
      await create('d1', 'again');
      const { destinations } = fixture.store;
      expect((await destinations.deadLetters('d1', { limit: 10 })).items).toEqual([]);
      expect((await destinations.attempts('d1', { limit: 10 })).items).toEqual([]);
      expect(await destinations.replays('d1')).toEqual([]);
      expect(await destinations.attemptTotals('d1', 0)).toEqual({ delivered: 0, failedAttempts: 0 });
    });
  });

  describe('dead letters', () => {
    it('are overwritten when refused again, marked when redriven, deleted when delivered', async () => {
      const { destinations } = fixture.store;
      await create();
      await settle({ deadLetters: [deadLetter(1), deadLetter(2), deadLetter(3)] });
      await settle({ redrive: ['event-1', 'event-2'] });
      const marked = { ...deadLetter(1), redriving: true };
      expect(await destinations.deadLetter('d1', 'event-1')).toEqual(marked);
      const ids = async (redriving?: boolean): Promise<string[]> => {
        const options = redriving === undefined ? { limit: 10 } : { limit: 10, redriving };
        return (await destinations.deadLetters('d1', options)).items.map((item) => item.id);
      };
      expect(await ids(true)).toEqual(['event-1', 'event-2']);
      expect(await ids(false)).toEqual(['event-3']);
      const again = { ...deadLetter(2), reason: 'still too large', at: NOON + 1 };
      await settle({ redriven: ['event-1'], deadLetters: [again] });
      expect(await destinations.deadLetter('d1', 'event-1')).toBeUndefined();
      expect(await destinations.deadLetter('d1', 'event-2')).toEqual(again);
      expect(await ids()).toEqual(['event-2', 'event-3']);
    });

    it('outlive their events', async () => {
      await create();
      await settle({ deadLetters: [deadLetter(1)] });
      await fixture.store.log.deleteThrough('a', 1);
      expect(await fixture.store.destinations.deadLetter('d1', 'event-1')).toEqual(deadLetter(1));
    });

    it('are paged by sequence; what comes in meanwhile makes no page repeat or skip', async () => {
      await create();
      await create('d2');
      await settle({ deadLetters: [3, 6, 9, 12, 15].map(deadLetter) });
      await settle({ destination: 'd2', deadLetters: [deadLetter(7)] });
      const { destinations } = fixture.store;
      const first = await destinations.deadLetters('d1', { limit: 2 });
      await settle({ deadLetters: [deadLetter(1), deadLetter(20)], redriven: ['event-3'] });
      const rest = await pages(first, (cursor) => destinations.deadLetters('d1', { limit: 2, cursor }));
      expect([...first.items, ...rest].map((item) => item.sequence)).toEqual([3, 6, 9, 12, 15, 20]);
    });
  });

  describe('attempts', () => {
    it('are paged newest first; new ones make no page repeat or skip', async () => {
      const { destinations } = fixture.store;
      await create();
      for (const at of countTo(5)) await settle({ attempt: attempt({ at }) });
      const first = await destinations.attempts('d1', { limit: 2 });
      await settle({ attempt: attempt({ at: 6 }) });
      const rest = await pages(first, (cursor) => destinations.attempts('d1', { limit: 2, cursor }));
      expect([...first.items, ...rest]).toEqual([5, 4, 3, 2, 1].map((at) => attempt({ at })));
      expect((await destinations.attempts('d1', { limit: 2 })).items.map((item) => item.at)).toEqual([6, 5]);
    });

    it('tell which of them delivered an event', async () => {
      const { destinations } = fixture.store;
      await create();
      const delivered = (firstSequence: number, lastSequence: number, at: number): Attempt =>
        attempt({ firstSequence, lastSequence, at });
      await settle({ attempt: delivered(1, 1_000, 1) });
      await settle({ attempt: delivered(1_001, 1_002, 2) });
      await settle({ attempt: attempt({ firstSequence: 1_003, lastSequence: 1_003, outcome: 'retry', delivered: 0 }) });
      await settle({ attempt: attempt({ firstSequence: 500, lastSequence: 510, outcome: 'throttled', delivered: 0 }) });
      await settle({ attempt: { ...delivered(505, 505, 5), kind: 'redrive' } });
      const at = async (sequence: number): Promise<number | undefined> =>
        (await destinations.attemptFor('d1', sequence))?.at;
      expect(await at(1)).toBe(1);
      expect(await at(504)).toBe(1);
      expect(await at(505)).toBe(5);
      expect(await at(1_000)).toBe(1);
      expect(await at(1_002)).toBe(2);
      expect(await at(1_003)).toBeUndefined();
    });

    it('are summed exactly since any moment, without tests, checks and replays', async () => {
      const { destinations } = fixture.store;
      await create();
      for (const hour of [0, 1, 2])
        for (const minute of [0, 20, 40])
          await settle({ attempt: attempt({ at: NOON + hour * HOUR_MS + minute * 60_000, delivered: 10 }) });
      const failed = { at: NOON + 30 * 60_000, outcome: 'retry', delivered: 0 } as const;
      await settle({ attempt: attempt(failed) });
      await settle({ attempt: attempt({ at: NOON + HOUR_MS, outcome: 'partial', events: 10, delivered: 3 }) });
      for (const kind of ['test', 'check', 'replay'] as const) await settle({ attempt: attempt({ at: NOON, kind }) });
      const totals = (since: number): Promise<unknown> => destinations.attemptTotals('d1', since);
      expect(await totals(0)).toEqual({ delivered: 93, failedAttempts: 1 });
      expect(await totals(NOON + 1)).toEqual({ delivered: 83, failedAttempts: 1 });
      expect(await totals(NOON + 31 * 60_000)).toEqual({ delivered: 73, failedAttempts: 0 });
      expect(await totals(NOON + 2 * HOUR_MS)).toEqual({ delivered: 30, failedAttempts: 0 });
      expect(await totals(NOON + 9 * HOUR_MS)).toEqual({ delivered: 0, failedAttempts: 0 });
    });

    it('make a timeline of whole minutes and hours, without tests, checks and replays', async () => {
      const { destinations } = fixture.store;
      await create();
      await create('d2');
      const counted = [
        { at: NOON, delivered: 10, lagMs: 200 },
        { at: NOON + 59_999, delivered: 5, lagMs: 900 },
        { at: NOON + 60_000, delivered: 0, lagMs: 7_000, outcome: 'retry' as const },
        { at: NOON + 61_000, delivered: 3, lagMs: 6_000, outcome: 'partial' as const },
        { at: NOON + HOUR_MS, delivered: 1, lagMs: null },
        { at: NOON + HOUR_MS, delivered: 1, lagMs: 5, kind: 'redrive' as const },
        { at: NOON + HOUR_MS, delivered: 1, lagMs: null },
        { at: NOON + 2 * HOUR_MS, delivered: 2, lagMs: null },
      ];
      for (const each of counted) await settle({ attempt: attempt(each) });
      for (const kind of ['test', 'check', 'replay'] as const)
        await settle({ attempt: attempt({ kind, lagMs: HOUR_MS }) });
      await settle({ destination: 'd2', attempt: attempt({ at: NOON }) });
      const first = { at: NOON, delivered: 15, failed: 0, maxLagMs: 900 };
      const second = { at: NOON + 60_000, delivered: 3, failed: 1, maxLagMs: 7_000 };
      const later = [
        { at: NOON + HOUR_MS, delivered: 3, failed: 0, maxLagMs: 5 },
        { at: NOON + 2 * HOUR_MS, delivered: 2, failed: 0, maxLagMs: null },
      ];
      const minutes = (from: number, to: number): Promise<unknown> => destinations.timeline('d1', from, to, 'minute');
      expect(await minutes(NOON, NOON + 3 * HOUR_MS)).toEqual([first, second, ...later]);
      expect(await minutes(NOON + 59_999, NOON + 60_000)).toEqual([first]);
      expect(await minutes(NOON + 59_999, NOON + 60_001)).toEqual([first, second]);
      expect(await minutes(0, NOON + 2 * HOUR_MS)).toEqual([first, second, later[0]]);
      expect(await minutes(0, NOON + 1_501 * 60_000)).toEqual([second, ...later]);
      const hours = [{ at: NOON, delivered: 18, failed: 1, maxLagMs: 7_000 }, ...later];
      expect(await destinations.timeline('d1', NOON + 1, NOON + 3 * HOUR_MS, 'hour')).toEqual(hours);
      expect(await destinations.timeline('d1', 0, NOON + 1_501 * HOUR_MS, 'hour')).toEqual(later);
      expect(await destinations.timeline('nowhere', NOON, NOON + 1, 'hour')).toEqual([]);
      await destinations.pruneAttempts(NOON + HOUR_MS);
      expect(await minutes(NOON, NOON + 3 * HOUR_MS)).toEqual(later);
      expect(await destinations.timeline('d1', NOON, NOON + 3 * HOUR_MS, 'hour')).toEqual(later);
    });

    it('are forgotten when they are old', async () => {
      const { destinations } = fixture.store;
      await create();
      for (const at of countTo(4)) await settle({ attempt: attempt({ at: NOON + at }) });
      await destinations.pruneAttempts(NOON + 3);
      expect((await destinations.attempts('d1', { limit: 9 })).items.map((item) => item.at)).toEqual([
        NOON + 4,
        NOON + 3,
      ]);
    });
  });

  it('remembers what was last told of each destination, for as long as there is the destination', async () => {
    await create('d1');
    await create('d2');
    const told = { destination: 'd1', state: 'retrying', toldAt: { retrying: NOON, connected: NOON - 1 } } as const;
    await fixture.store.alerts.put({ ...told, toldAt: {} });
    await fixture.store.alerts.put({ ...told, destination: 'd2' });
    await fixture.store.alerts.put({ ...told, destination: 'nowhere' });
    await fixture.store.alerts.put(told);
    await fixture.reopen();
    expect(await fixture.store.alerts.list()).toEqual([told, { ...told, destination: 'd2' }]);
    await fixture.store.destinations.remove('d1', []);
    expect(await fixture.store.alerts.list()).toEqual([{ ...told, destination: 'd2' }]);
  });

  it('keeps replays, newest first, as they were last written', async () => {
    await create();
    await settle({ replay: replay('r1') });
    await settle({ replay: replay('r2') });
    const done: Replay = { ...replay('r1'), status: 'done', cursor: 9, endedAt: NOON };
    await settle({ replay: done });
    expect(await fixture.store.destinations.replays('d1')).toEqual([replay('r2'), done]);
  });
}

async function pages<T>(first: Page<T>, next: (cursor: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let { nextCursor } = first; nextCursor !== null; ) {
    const page = await next(nextCursor);
    items.push(...page.items);
    ({ nextCursor } = page);
  }
  return items;
}

function destination(id: string, team: string): StoredDestination {
  return {
    id,
    team,
    kind: 'splunk',
    name: `destination ${id}`,
    settings: { endpointUrl: 'https://splunk.example', acknowledge: true },
    sealed: { token: 'v1.sealed' },
    filters: [{ fromSequence: 1, categories: null, eventTypes: ['x.y'], newCategories: true, knownCategories: [] }],
    startAfter: 0,
    parallel: 1,
    lingerMs: 0,
    paused: null,
    createdAt: NOON,
    updatedAt: NOON,
  };
}

function progress(): Progress {
  return {
    cursor: 0,
    settledAhead: [],
    scanned: 0,
    matched: 0,
    filtered: 0,
    delivered: 0,
    deadLettered: 0,
    state: 'pending',
    since: NOON,
    cause: null,
    fix: null,
    held: false,
    refusedRun: [],
    lastSuccessAt: null,
    lastError: null,
  };
}

function deadLetter(sequence: number): DeadLetter {
  return {
    id: `event-${sequence}`,
    sequence,
    eventType: 'x.y',
    eventCategory: 'gateway',
    timestamp: NOON - 5,
    receivedAt: NOON - 4,
    at: NOON,
    reason: 'too large',
    status: 413,
    answer: null,
    json: `{"timestamp":"2026-01-15T12:00:00.000Z","sequence":${sequence}}`,
    redriving: false,
  };
}

function attempt(more: Partial<Attempt> = {}): Attempt {
  return {
    at: NOON,
    kind: 'delivery',
    firstSequence: 1,
    lastSequence: 1,
    events: 1,
    delivered: 1,
    bytes: 512,
    durationMs: 12.5,
    lagMs: 40,
    outcome: 'delivered',
    status: 200,
    reason: null,
    answer: '{"text":"Success","code":0}',
    ...more,
  };
}

function replay(id: string): Replay {
  return {
    id,
    after: 0,
    through: 9,
    events: 9,
    bytes: 900,
    from: 0,
    to: NOON,
    cursor: 0,
    delivered: 0,
    rejected: 0,
    status: 'running',
    createdAt: NOON,
    endedAt: null,
  };
}
