import { afterEach, describe, expect, it } from 'vitest';
import {
  BAD_TOKEN,
  DELIVERED,
  DeliveryRig,
  LIMITS,
  later,
  REFUSED,
  settle,
  TEAM,
  until,
} from '../../test/rig/delivery-rig.ts';
import { newEvent } from '../store/conformance-fixture.ts';

let rig: DeliveryRig;
afterEach(() => rig.close());

async function started(): Promise<DeliveryRig> {
  rig = new DeliveryRig();
  await rig.delivery.start();
  return rig;
}

describe('commands', () => {
  it('pauses after what is in flight, counts on, and sends everything on resume', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(2);
    await until(() => siem.sends.length === 1);
    await rig.delivery.pause('a', 'ana@acme.com', []);
    await rig.append(10, 'gateway');
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(async () => (await rig.counts('a')).delivered > 0);
    await until(async () => (await rig.counts('a')).matched >= 12);
    await settle();
    expect(siem.sends.length).toBe(1);
    expect(await rig.delivery.health('a')).toMatchObject({ state: 'paused', cause: 'Paused by ana@acme.com' });
    await rig.restart();
    expect((await rig.counts('a')).state).toBe('paused');
    await rig.delivery.resume('a', []);
    await until(async () => (await rig.counts('a')).pending === 0);
    expect(new Set(siem.received).size).toBe(siem.received.length);
    expect(siem.received.filter((id) => id.startsWith('e'))).toHaveLength(12);
  });

  it('filters from the next event on; what waits keeps the filter under which it matched', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    await rig.delivery.pause('a', 'ana', []);
    await rig.append(3, 'gateway');
    const filter = { categories: ['authentication'], eventTypes: null, newCategories: false };
    await rig.delivery.update('a', { filter, updatedAt: 1 }, []);
    await rig.append(4, 'gateway');
    await rig.append(2, 'authentication');
    await until(async () => (await rig.counts('a')).filtered >= 4);
    await rig.delivery.resume('a', []);
    await until(() => siem.received.length === 5);
    expect(siem.received).toEqual(['e1', 'e2', 'e3', 'e8', 'e9']);
    expect(await rig.delivery.deliveriesOf(TEAM, 'e4')).toMatchObject([{ status: 'filtered' }]);
  });

  it('lets what is in flight end before it opens a destination with new settings', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    await rig.delivery.update('a', { settings: { index: 'main' }, updatedAt: 1 }, []);
    await rig.append(1);
    await settle();
    expect({ closed: siem.closed, sends: siem.sends.length }).toEqual({ closed: 0, sends: 1 });
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(() => siem.received.includes('e2'));
    expect(siem.closed).toBe(1);
  });

  it('drops what a cancelled replay had in flight, and counts the next one exactly', async () => {
    const rig = await started();
    const siem = await rig.add('a', { parallel: 2 });
    await rig.append(150);
    await until(async () => (await rig.counts('a')).pending === 0 && siem.received.includes('e150'));
    const answer = later();
    siem.answer = () => answer.promise;
    const sends = siem.sends.length;
    const first = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    const second = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    await until(() => siem.sends.length > sends);
    await rig.delivery.cancelReplay('a', first.id, []);
    siem.answer = () => DELIVERED;
    answer.resolve(REFUSED);
    await until(async () => (await rig.delivery.replays('a'))[0]!.status === 'done');
    expect((await rig.delivery.replays('a'))[0]).toMatchObject({ delivered: second.events, rejected: 0 });
    for (const id of ['e1', 'e80', 'e150']) expect(siem.received.filter((one) => one === id)).toHaveLength(2);
  });

  it('removes a destination in mid-flight', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    let isAborted = false;
    siem.answer = (_, signal) => {
      signal.addEventListener('abort', () => {
        isAborted = true;
      });
      return later().promise;
    };
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    await rig.delivery.remove('a', []);
    expect({ isAborted, closed: siem.closed }).toEqual({ isAborted: true, closed: 1 });
    await expect(rig.delivery.health('a')).rejects.toMatchObject({ code: 'not_found' });
    expect(await rig.delivery.list(TEAM)).toEqual([]);
  });

  it('replays a range apart from the cursor and the counts', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    const from = rig.clock.now();
    await rig.append(250);
    await rig.clock.advance(60_000);
    const to = rig.clock.now();
    await rig.append(5);
    await until(async () => (await rig.counts('a')).pending === 0 && siem.received.includes('e255'));
    const before = await rig.counts('a');
    const dry = await rig.delivery.countReplay('a', from, to);
    siem.answer = (ids) => (ids.includes('e9') ? REFUSED : DELIVERED);
    const replay = await rig.delivery.replay('a', from, to, []);
    expect(replay).toMatchObject({ ...dry, status: 'running' });
    await until(async () => (await rig.delivery.replays('a'))[0]!.status === 'done');
    expect(await rig.delivery.replays('a')).toMatchObject([{ delivered: dry.events - 1, rejected: 1 }]);
    expect(await rig.counts('a')).toEqual(before);
    expect(siem.received.filter((id) => id === 'e250')).toHaveLength(2);
    expect(siem.received.filter((id) => id === 'e251')).toHaveLength(1);
  });

  it('goes on with a replay after a restart, lets new events through, and can cancel it', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    await rig.append(500);
    await until(async () => (await rig.counts('a')).pending === 0 && siem.received.includes('e500'));
    const held = later();
    siem.answer = () => held.promise;
    await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    const sent = siem.sends.length;
    await until(() => siem.sends.length > sent);
    siem.answer = () => DELIVERED;
    await rig.restart();
    await rig.append(1);
    await until(async () => (await rig.delivery.replays('a'))[0]!.status === 'done');
    await until(() => siem.received.includes('e501'));
    expect(siem.received.filter((id) => id === 'e1')).toHaveLength(2);

    siem.answer = () => later().promise;
    const second = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    const third = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
    const [stopped, again] = [newEvent(TEAM, 'stopped'), newEvent(TEAM, 'again')];
    expect(await rig.delivery.cancelReplay('a', third.id, [])).toBe(true);
    expect(await rig.delivery.cancelReplay('a', second.id, [stopped])).toBe(true);
    expect(await rig.store.log.find(TEAM, stopped.id)).toBeDefined();
    expect(await rig.delivery.cancelReplay('a', second.id, [again])).toBe(false);
    expect(await rig.store.log.find(TEAM, again.id), 'a change that was none is not recorded').toBeUndefined();
    expect((await rig.delivery.replays('a')).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'done']);
  });

  it('re-checks a held destination at once after a test by hand that worked', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => BAD_TOKEN;
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'authentication_failed');
    siem.answer = () => DELIVERED;
    const attempt = { at: rig.clock.now(), kind: 'test', firstSequence: 0, lastSequence: 0, events: 1 } as const;
    const measured = { delivered: 1, bytes: 1, durationMs: 1, lagMs: null, status: 200, reason: null } as const;
    await rig.delivery.tested('a', { ...attempt, ...measured, outcome: 'delivered', answer: null }, []);
    await until(async () => (await rig.counts('a')).state === 'connected');
    expect((await rig.counts('a')).delivered).toBeGreaterThan(0);
  });

  it('are obeyed without anything being sent when delivery was never started', async () => {
    rig = new DeliveryRig();
    const siem = await rig.add('a');
    await rig.append(3);
    await rig.delivery.pause('a', 'ana', []);
    await rig.delivery.resume('a', []);
    await settle();
    expect({ sends: siem.sends, reads: rig.reads }).toEqual({ sends: [], reads: [] });
    await rig.delivery.start();
    await until(() => siem.received.length >= 3);
  });
});

describe('what is told', () => {
  it('says where each event stands', async () => {
    const rig = await started();
    await rig.append(1);
    const siem = await rig.add('a', { startAt: 'now' });
    siem.answer = (ids) => (ids.includes('e3') ? REFUSED : DELIVERED);
    await rig.append(2);
    await until(async () => (await rig.counts('a')).deadLettered === 1 && (await rig.counts('a')).pending === 0);
    await rig.delivery.pause('a', 'ana', []);
    await rig.append(1);
    const of = async (id: string) => (await rig.delivery.deliveriesOf(TEAM, id))?.[0];
    expect(await of('e1')).toMatchObject({ status: 'before_start' });
    expect(await of('e2')).toMatchObject({ status: 'delivered', attempt: { kind: 'delivery', outcome: 'delivered' } });
    expect(await of('e3')).toMatchObject({ status: 'dead_letter', reason: 'Invalid data format' });
    expect(await of('e4')).toMatchObject({ status: 'pending' });
    expect(await of('none')).toBeUndefined();
    expect(await rig.delivery.totals()).toMatchObject([{ kind: 'splunk', state: 'paused', destinations: 1 }]);
  });

  it('tells each state at most once a minute, counts what it kept back, and ends with the state that is', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
    await rig.append(1);
    for (let i = 0; i < 3; i++) {
      await until(async () => (await rig.counts('a')).state === 'retrying');
      siem.answer = () => DELIVERED;
      await rig.untilNextTry('a');
      await until(async () => (await rig.counts('a')).state === 'connected');
      await until(async () => (await rig.counts('a')).pending === 0);
      siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
      await rig.append(1);
    }
    await until(async () => (await rig.counts('a')).state === 'retrying');
    siem.answer = () => later().promise;
    const told = async () => (await rig.ownEvents()).map((event) => event.description.replace(/.*→ /, ''));
    expect(await told()).toEqual(['retrying', 'connected']);
    siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
    await rig.clock.advance(60_000);
    await until(async () => (await told()).length === 3);
    expect((await rig.ownEvents())[2]).toMatchObject({ metadata: { suppressedChanges: 4 } });
    expect(await told()).toEqual(['retrying', 'connected', 'retrying']);
  });

  it('warns once before the oldest waiting event leaves the time window of the SIEM', async () => {
    const rig = await started();
    const siem = rig.siem('a');
    siem.limits = { ...LIMITS, maxAgeMs: 1_000_000 };
    await rig.add('a');
    await rig.delivery.pause('a', 'ana', []);
    await rig.append(1);
    await until(async () => (await rig.counts('a')).pending === 1);
    expect((await rig.delivery.health('a')).warning).toBeNull();
    expect(await rig.ownEvents()).toEqual([]);
    await rig.clock.advance(800_000);
    await until(async () => (await rig.ownEvents()).length === 1);
    expect((await rig.delivery.health('a')).warning).toContain('leaves the time window');
    expect((await rig.delivery.health('a')).lag).toEqual({ events: 2, seconds: 800 });
    await rig.clock.advance(900_000);
    expect((await rig.delivery.health('a')).warning).toContain('left the time window');
    expect(await rig.ownEvents()).toHaveLength(1);
  });

  it('says how far a team is settled everywhere, from what is durable', async () => {
    const rig = await started();
    await rig.append(10);
    expect(await rig.delivery.settledThrough(TEAM)).toBe(10);
    await rig.add('paused');
    await rig.delivery.pause('paused', 'ana', []);
    await rig.add('b');
    await until(async () => (await rig.counts('b')).delivered >= 10);
    expect(await rig.delivery.settledThrough(TEAM)).toBe(0);
    await rig.delivery.remove('paused', []);
    await until(async () => (await rig.delivery.settledThrough(TEAM)) >= 10);
  });

  it('writes counts down when it stops and lets what is in flight end', async () => {
    const rig = await started();
    const filter = { categories: [], eventTypes: null, newCategories: false };
    await rig.add('none', { filter });
    const siem = await rig.add('a', { startAt: 'now' });
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(7);
    await until(() => siem.sends.length === 1);
    await until(async () => (await rig.counts('none')).filtered === 7);
    const stopped = rig.delivery.stop();
    answer.resolve(DELIVERED);
    await stopped;
    expect(await rig.store.destinations.progress('a')).toMatchObject({ delivered: 7, cursor: 7 });
    expect(await rig.store.destinations.progress('none')).toMatchObject({ filtered: 7, cursor: 7 });
    expect(siem.closed).toBe(1);
    await expect(rig.delivery.pause('a', 'ana', [])).resolves.toBeUndefined();
  });

  it('gives up what hangs when it has to stop', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => later().promise;
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    const stopped = rig.delivery.stop();
    await settle();
    await rig.clock.advance(5_000);
    await stopped;
    const progress = (await rig.store.destinations.progress('a')) as { delivered: number };
    expect(progress.delivered).toBe(0);
  });
});
