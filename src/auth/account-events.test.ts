import { describe, expect, it } from 'vitest';
import { TestClock } from '../../test/rig/test-clock.ts';
import type { NewEvent } from '../event/logged-event.ts';
import { StoreUnavailable } from '../store/event-log.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type AccountEvent, createAccountEvents } from './account-events.ts';

function setUp() {
  const clock = new TestClock();
  const log = { events: [] as NewEvent[], fails: null as Error | null };
  const events = createAccountEvents({
    rolesOf: async () => new Map([['acme', 'owner']]),
    append: async (batch) => {
      if (log.fails) throw log.fails;
      log.events.push(...batch);
    },
    clock,
    logger: createLogger({ level: 'silent' }),
  });
  const attempts = () => log.events.map(({ json }) => JSON.parse(json).metadata?.attempts);
  return { clock, log, events, attempts };
}

const SIGN_OUT: AccountEvent = {
  eventType: 'auth.logout',
  who: { id: 'ana', email: 'ana@acme.com', name: 'Ana' },
  origin: { ipAddress: '192.0.2.1' },
  description: 'ana@acme.com signed out',
};

describe('events of accounts', () => {
  it('that cannot be kept are refused, as the store says it', async () => {
    const { events, log } = setUp();
    log.fails = new StoreUnavailable('storage_full', 'full');
    await expect(events.record(SIGN_OUT)).rejects.toMatchObject({ code: 'storage_full' });
    log.fails = new Error('broken');
    await expect(events.record(SIGN_OUT)).rejects.toMatchObject({ code: 'storage_error' });
    log.fails = null;
    await events.close();
    expect(log.events).toEqual([]);
  });

  it('of what is done are tried again until they are kept, with the time they happened at', async () => {
    const { events, log, clock } = setUp();
    const at = clock.now();
    log.fails = new Error('broken');
    await expect(events.recordDone(SIGN_OUT)).rejects.toThrow(StoreUnavailable);
    await clock.advance(65_000);
    await expect(events.recordDone(SIGN_OUT)).rejects.toThrow(StoreUnavailable);
    log.fails = null;
    await clock.advance(30_000);
    expect(log.events.map(({ timestamp }) => timestamp)).toEqual([at, at + 65_000]);
    await clock.advance(300_000);
    expect(log.events).toHaveLength(2);
  });

  it('that are still owed are written when closing', async () => {
    const { events, log } = setUp();
    log.fails = new Error('broken');
    await expect(events.recordDone(SIGN_OUT)).rejects.toThrow(StoreUnavailable);
    log.fails = null;
    await events.close();
    expect(log.events).toHaveLength(1);
  });

  it('of a flood are one at once and one a minute, with their number', async () => {
    const { events, clock, attempts } = setUp();
    for (let i = 0; i < 500; i++) events.noteFlood('198.51.100.9', SIGN_OUT);
    events.noteFlood('198.51.100.10', SIGN_OUT);
    await clock.advance(60_000);
    expect(attempts()).toEqual([1, 1, 499]);
    for (let i = 0; i < 3; i++) events.noteFlood('198.51.100.9', SIGN_OUT);
    await events.close();
    expect(attempts()).toEqual([1, 1, 499, 1, 2]);
  });

  it('of a flood from everywhere are bounded', async () => {
    const { events, log } = setUp();
    for (let i = 0; i < 5000; i++) events.noteFlood(`source ${i}`, SIGN_OUT);
    await events.close();
    expect(log.events).toHaveLength(1000);
  });
});
