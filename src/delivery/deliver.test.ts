import { afterEach, describe, expect, it } from 'vitest';
import {
  BAD_TOKEN,
  DELIVERED,
  DeliveryRig,
  LIMITS,
  later,
  REFUSED,
  Siem,
  settle,
  until,
} from '../../test/rig/delivery-rig.ts';
import { StoreUnavailable } from '../store/event-log.ts';

let rig: DeliveryRig;
afterEach(() => rig.close());

async function started(): Promise<DeliveryRig> {
  rig = new DeliveryRig();
  await rig.delivery.start();
  return rig;
}

describe('delivering', () => {
  it('sends at once, and idle neither reads nor holds a timer', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    const [first] = await rig.append(1);
    await until(() => siem.received.length > 0);
    expect(siem.received[0]).toBe(first);
    // The destination's own "connected" event follows.
    await until(() => siem.received.length === 2);
    await until(async () => (await rig.counts('a')).pending === 0);
    await settle();
    const reads = rig.reads.length;
    await settle();
    expect(rig.reads.length).toBe(reads);
    expect(rig.clock.sleeping).toBe(0);
    expect(await rig.counts('a')).toMatchObject({ state: 'connected', matched: 2, delivered: 2 });
  });

  it('gathers what comes while a batch is in flight, and prepares only whole batches ahead', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    const answer = later();
    siem.answer = () => answer.promise;
    await rig.append(1);
    await until(() => siem.sends.length === 1);
    await rig.append(3);
    await rig.append(4);
    await settle();
    expect(siem.prepared).toBe(1);
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(() => siem.received.length >= 8);
    expect(siem.sends[1]!.length).toBeGreaterThanOrEqual(7);
  });

  it('waits `lingerMs` for a batch to fill', async () => {
    const rig = await started();
    const siem = await rig.add('a', { lingerMs: 1_000 });
    await rig.append(1);
    await until(() => rig.clock.sleeping > 0);
    await rig.clock.advance(600);
    await rig.append(1);
    await settle();
    expect(siem.sends).toEqual([]);
    await rig.clock.advance(400);
    await until(() => siem.sends.length === 1);
    expect(siem.sends[0]).toEqual(['e1', 'e2']);
  });

  it('keeps memory bounded however much waits, and counts all of it', async () => {
    const rig = await started();
    await rig.append(5_000);
    const answer = later();
    const siem = await rig.add('a');
    siem.answer = () => answer.promise;
    await until(async () => (await rig.counts('a')).pending === 5_000);
    await settle();
    const read = rig.reads.filter(({ after }) => after < 5_000).reduce((sum, { events }) => sum + events, 0);
    expect(read).toBeLessThanOrEqual(4 * LIMITS.batchEvents);
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(async () => (await rig.counts('a')).delivered >= 5_000);
    expect(new Set(siem.received).size).toBe(siem.received.length);
    expect(siem.received.slice(0, 5_000)).toEqual(Array.from({ length: 5_000 }, (_, i) => `e${i + 1}`));
  });

  it('is not slowed by another destination that hangs', async () => {
    const rig = await started();
    const hanging = await rig.add('hanging');
    hanging.answer = () => later().promise;
    const well = await rig.add('well');
    await rig.append(500);
    await until(() => well.received.length >= 500);
    expect(hanging.received).toEqual([]);
    await until(async () => (await rig.counts('hanging')).pending >= 500);
  });

  it('sends several batches at once when it may, and passes none that is not settled', async () => {
    const rig = await started();
    await rig.append(400);
    const answers = new Map<string, ReturnType<typeof later>>();
    const siem = rig.siem('a');
    siem.answer = (ids) => {
      const answer = later();
      answers.set(ids[0]!, answer);
      return answer.promise;
    };
    await rig.add('a', { parallel: 3 });
    await until(() => answers.size === 3);
    answers.get('e101')!.resolve(DELIVERED);
    answers.get('e201')!.resolve(DELIVERED);
    await until(async () => (await rig.store.destinations.progress('a'))!.delivered === 200);
    expect((await rig.store.destinations.progress('a'))!.cursor).toBe(0);
    siem.answer = () => DELIVERED;
    await rig.restart();
    await until(async () => (await rig.counts('a')).delivered >= 400);
    expect(siem.received.filter((id) => id === 'e150')).toHaveLength(1);
    expect(new Set(siem.received).size).toBe(siem.received.length);
  });

  it('sends on while accepted batches await their outcome', async () => {
    const rig = await started();
    await rig.append(400);
    const siem = rig.siem('a');
    siem.limits = { ...LIMITS, awaiting: 3 };
    const answer = later();
    siem.answer = (_ids, _signal, accepted) => {
      accepted();
      return answer.promise;
    };
    await rig.add('a');
    await until(() => siem.sends.length === 3);
    await settle();
    expect(siem.sends.length).toBe(3);
    siem.answer = () => DELIVERED;
    answer.resolve(DELIVERED);
    await until(async () => (await rig.counts('a')).delivered >= 400);
  });
});

describe('when a destination fails', () => {
  it('keeps everything, backs off, and sends the same body again', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'retry', cause: 'unreachable', reason: 'connection refused' });
    await rig.append(3);
    await until(() => siem.sends.length === 1);
    await until(async () => (await rig.counts('a')).state === 'disconnected');
    const health = await rig.delivery.health('a');
    expect(health).toMatchObject({ cause: 'connection refused', nextAttemptAt: rig.clock.now() + 500 });
    await rig.clock.advance(499);
    expect(siem.sends.length).toBe(1);
    siem.answer = () => DELIVERED;
    await rig.clock.advance(1);
    await until(() => siem.received.length >= 3);
    expect(siem.sends[1]).toEqual(siem.sends[0]);
    expect(siem.prepared - siem.sends.length).toBe(-1);
    await until(async () => (await rig.counts('a')).state === 'connected');
  });

  it('says at each change of the state shown that it changed, and nothing while it stays', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'connected');
    siem.answer = () => ({ kind: 'retry', cause: 'server', reason: '503' });
    await rig.append(1);
    for (let tries = 2; tries <= 4; tries++) {
      await until(() => siem.sends.length === tries);
      await rig.untilNextTry('a');
    }
    await rig.delivery.pause('a', 'ana@acme.com', []);
    await rig.delivery.resume('a', []);
    siem.answer = () => BAD_TOKEN;
    await rig.delivery.update('a', { lingerMs: 0, updatedAt: rig.clock.now() }, []);
    await until(() => rig.states.length >= 5);
    await settle();
    expect(await Promise.all(rig.states)).toEqual([
      'connected',
      'retrying',
      'paused',
      'retrying',
      'authentication_failed',
    ]);
  });

  it('measures the age of the oldest event of each batch', async () => {
    const rig = await started();
    const filter = { categories: ['authentication'], eventTypes: null, newCategories: false };
    const siem = await rig.add('a', { filter });
    siem.answer = () => ({ kind: 'throttled', reason: 'busy', retryAfterMs: 120_000 });
    const from = rig.clock.now();
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'throttled');
    siem.answer = () => DELIVERED;
    await rig.clock.advance(60_000);
    await rig.append(1);
    await rig.clock.advance(60_000);
    const lags = async () => (await rig.delivery.attempts('a', { limit: 9 })).items.map(({ lagMs }) => lagMs);
    await until(async () => (await lags()).length === 2);
    expect(await lags()).toEqual([120_000, 0]);
    const timeline = await rig.delivery.timeline('a', from, rig.clock.now() + 1, 'hour');
    expect(Math.max(...timeline.map(({ maxLagMs }) => maxLagMs!))).toBe(120_000);
    expect(timeline.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
    await expect(rig.delivery.timeline('nowhere', from, from + 1, 'hour')).rejects.toThrow('no destination');
  });

  it('waits at least as long as it was asked to', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'throttled', reason: 'busy', retryAfterMs: 120_000 });
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'throttled');
    siem.answer = () => DELIVERED;
    await rig.clock.advance(119_999);
    expect(siem.sends.length).toBe(1);
    await rig.clock.advance(1);
    await until(() => siem.received.length > 0);
  });

  it('dead-letters what is refused alone, delivers the rest, and redrives with exact counts', async () => {
    const rig = await started();
    const siem = await rig.add('a', { startAt: 'now' });
    siem.answer = (ids) => (ids.includes('e7') ? REFUSED : DELIVERED);
    await rig.append(20);
    await until(async () => (await rig.counts('a')).deadLettered === 1);
    await until(async () => (await rig.counts('a')).pending === 0);
    expect(siem.received).not.toContain('e7');
    // The counters are of this moment; the list is what is durable.
    const letters = async () => (await rig.delivery.deadLetters('a', { limit: 10 })).items;
    await until(async () => (await letters()).length > 0);
    const refused = { id: 'e7', sequence: 7, reason: 'Invalid data format', status: 400, answer: 'no' };
    expect(await letters()).toMatchObject([refused]);

    expect(await rig.delivery.redrive('a', ['e7', 'e8'], [])).toBe(1);
    await until(async () => (await rig.counts('a')).deadLettered === 1);
    siem.answer = () => DELIVERED;
    expect(await rig.delivery.redrive('a', null, [])).toBe(1);
    await until(async () => (await rig.counts('a')).deadLettered === 0 && (await rig.counts('a')).pending === 0);
    expect(siem.received.filter((id) => id === 'e7')).toHaveLength(1);
    await until(async () => (await letters()).length === 0);
  });

  it('holds on a bad credential, survives a restart, and resumes after an edit', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => BAD_TOKEN;
    siem.check = () => BAD_TOKEN;
    await rig.append(5);
    await until(async () => (await rig.counts('a')).state === 'authentication_failed');
    expect(await rig.delivery.health('a')).toMatchObject({ cause: 'Token refused', fix: 'Replace it' });
    await rig.restart();
    await until(() => siem.checks === 1);
    expect(await rig.counts('a')).toMatchObject({ state: 'authentication_failed', deadLettered: 0, delivered: 0 });
    expect(siem.sends.length).toBe(1);
    // The first re-check after the restart failed; later ones come slowly.
    await until(async () => (await rig.delivery.health('a')).nextAttemptAt === rig.clock.now() + 30_000);
    await rig.clock.advance(30_000);
    await until(() => siem.checks === 2);
    siem.answer = () => DELIVERED;
    siem.check = () => DELIVERED;
    await rig.delivery.update('a', { settings: { token: 'new' }, updatedAt: rig.clock.now() }, []);
    await until(async () => (await rig.counts('a')).state === 'connected');
    await until(async () => (await rig.counts('a')).pending === 0);
    const { items } = await rig.delivery.attempts('a', { limit: 50 });
    expect(items.filter((attempt) => attempt.kind === 'check').map((attempt) => attempt.outcome)).toEqual([
      'delivered',
      'misconfigured',
      'misconfigured',
    ]);
  });

  it('takes ten refusals in a row for a wrong setting: holds, loses nothing, and probes with one event', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.limits = { ...LIMITS, batchEvents: 1 };
    await rig.delivery.update('a', { settings: {}, updatedAt: 0 }, []);
    siem.answer = () => REFUSED;
    await rig.append(12);
    await until(async () => (await rig.counts('a')).state === 'misconfigured');
    await until(async () => (await rig.counts('a')).pending >= 12);
    expect(await rig.counts('a')).toMatchObject({ deadLettered: 0, delivered: 0 });
    const sends = siem.sends.length;
    expect(sends).toBe(10);
    for (let checks = 1; checks <= 3; checks++) {
      await rig.untilNextTry('a');
      await until(() => siem.sends.length === sends + checks);
      expect(siem.sends.at(-1)).toHaveLength(1);
    }
    expect(siem.checks).toBe(0);
    expect(await rig.counts('a')).toMatchObject({ state: 'misconfigured', deadLettered: 0 });
    siem.answer = () => DELIVERED;
    await rig.untilNextTry('a');
    await until(async () => (await rig.counts('a')).pending === 0);
    expect(new Set(siem.received).size).toBe(siem.received.length);
    for (let i = 1; i <= 12; i++) expect(siem.received).toContain(`e${i}`);
  });

  it('counts a run of refusals only while nothing is delivered between', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = (ids) => ({
      kind: 'partial',
      rejected: ids.filter((id) => id !== 'e20').map((id) => ({ id, reason: 'mapping' })),
      again: [],
      reason: '19 of 20 rejected',
    });
    await rig.append(20);
    await until(async () => (await rig.counts('a')).deadLettered >= 19);
    expect((await rig.counts('a')).state).toBe('connected');
  });

  it('holds a destination that cannot be opened, says why, and tries again slowly', async () => {
    const rig = await started();
    const siem = rig.siem('a');
    const { open } = Siem.prototype;
    siem.open = () => {
      throw new Error('sealed under another master key');
    };
    await rig.add('a');
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'misconfigured');
    expect((await rig.delivery.health('a')).cause).toBe('sealed under another master key');
    siem.open = open;
    await rig.untilNextTry('a');
    await until(() => siem.received.length > 0);
  });

  it('survives a bug in a destination: keeps all, says so, tries again', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => {
      throw new TypeError('undefined is not a function');
    };
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'retrying');
    expect((await rig.delivery.health('a')).cause).toContain('internal error');
    expect(rig.logged).toContain('internal error while sending or checking');
    siem.answer = () => DELIVERED;
    await rig.untilNextTry('a');
    await until(() => siem.received.length > 0);
  });

  it('frames a batch anew after framing it failed', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.prepareError = new TypeError('a bug');
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'retrying');
    siem.prepareError = null;
    await rig.untilNextTry('a');
    await until(() => siem.received.includes('e1'));
  });

  it('lets go of what is in memory when the wait is long', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    siem.answer = () => ({ kind: 'throttled', reason: 'busy', retryAfterMs: 3_600_000 });
    await rig.append(1);
    await until(async () => (await rig.counts('a')).state === 'throttled');
    siem.answer = () => DELIVERED;
    await rig.untilNextTry('a');
    await until(() => siem.received.includes('e1'));
    expect(siem.prepared).toBe(siem.sends.length);
  });

  it('does not send again what it could not write down, and goes on when the store can write', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    rig.settleError = new StoreUnavailable('storage_full', 'the disk is full');
    await rig.append(250);
    await until(() => rig.logged.includes('progress cannot be written; sending waits until it can'));
    await settle();
    rig.settleError = null;
    await rig.clock.advance(30_000);
    await until(async () => (await rig.counts('a')).delivered >= 250);
    expect(new Set(siem.received).size).toBe(siem.received.length);
  });

  it('starts a lane again from what is durable after a bug of its own', async () => {
    const rig = await started();
    const siem = await rig.add('a');
    rig.settleError = new TypeError('a bug');
    await rig.append(3);
    await until(() => rig.logged.some((line) => line.includes('starts again')));
    rig.settleError = null;
    await rig.clock.advance(300_000);
    await until(async () => (await rig.counts('a')).delivered >= 3);
    expect(siem.received.filter((id) => id === 'e1')).toHaveLength(2);
  });
});
