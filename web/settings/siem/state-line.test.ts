import { describe, expect, it } from 'vitest';
import type { Health } from '../../../src/contract/destinations.ts';
import { bannerLine, needsAttention, stateLine, withAddresses } from './state-line.ts';

const NOW = Date.parse('2026-11-22T10:45:00.000Z');

const health = (more: Partial<Health>): Health => ({
  ...{ state: 'connected', since: '2026-11-22T10:42:07.000Z', cause: null, fix: null, nextAttemptAt: null },
  ...{ warning: null, lag: { events: 0, seconds: 0 }, lastSuccessAt: '2026-11-22T10:42:09.120Z', lastError: null },
  counts: { matched: 0, filtered: 0, delivered: 0, deadLettered: 0, pending: 0 },
  last24h: { delivered: 0, failedAttempts: 0 },
  ...more,
});
const line = (more: Partial<Health>) => stateLine(health(more), 'Splunk', NOW);

describe('stateLine', () => {
  it('says when a connected destination last took events, and that nothing waits', () => {
    expect(line({})).toEqual({
      word: 'Connected',
      cause: 'Last delivered 10:42:09 UTC, nothing waiting',
      fix: null,
      waiting: null,
    });
  });

  it('says the measured cause, since when, and the next try', () => {
    const retrying = line({
      ...{ state: 'retrying', cause: 'Splunk answered 503', fix: 'Nothing to do unless it lasts.' },
      ...{ nextAttemptAt: '2026-11-22T10:45:40.000Z', lag: { events: 318, seconds: 173 } },
    });
    expect(retrying.cause).toBe('Splunk answered 503 since 10:42 UTC, next try in 40 s');
    expect(retrying.fix).toBe('Nothing to do unless it lasts.');
    expect(retrying.waiting).toBe('318 events are waiting. None is lost.');
  });

  it('says who slows it down', () => {
    expect(line({ state: 'throttled', cause: 'Splunk asked to wait 30 s' }).word).toBe('Slowed down by Splunk');
  });

  it('leaves host names as they are, and begins other causes like a sentence', () => {
    expect(line({ state: 'disconnected', cause: 'splunk.acme.com:8088 refused the connection' }).cause).toBe(
      'splunk.acme.com:8088 refused the connection since 10:42 UTC',
    );
    expect(line({ state: 'disconnected', cause: 'there is no network route to it.' }).cause).toBe(
      'There is no network route to it since 10:42 UTC',
    );
  });

  it('names who paused, what waits, and that it is kept', () => {
    const paused = line({ state: 'paused', cause: 'Paused by ana@acme.com', lag: { events: 4210, seconds: 9 } });
    expect(paused.cause).toBe('Paused by ana@acme.com at 10:42 UTC; events are kept until you resume');
    expect(paused.waiting).toBe('4,210 events are waiting. None is lost.');
  });

  it('names the day of what is not from today', () => {
    expect(line({ lastSuccessAt: '2026-11-20T08:00:00.000Z' }).cause).toContain('2026-11-20 08:00:00 UTC');
  });

  it('says in every bad state that nothing is lost', () => {
    for (const state of [
      'retrying',
      'throttled',
      'disconnected',
      'authentication_failed',
      'misconfigured',
      'paused',
    ] as const)
      expect(line({ state, cause: 'x', lag: { events: 1, seconds: 1 } }).waiting).toBe(
        '1 event is waiting. None is lost.',
      );
  });
});

describe('needsAttention', () => {
  it('is true of red states at once, and of amber ones after five minutes', () => {
    const [fresh, old] = ['2026-11-22T10:44:00.000Z', '2026-11-22T10:39:00.000Z'];
    expect(needsAttention({ state: 'misconfigured', since: fresh }, NOW)).toBe(true);
    expect(needsAttention({ state: 'retrying', since: fresh }, NOW)).toBe(false);
    expect(needsAttention({ state: 'retrying', since: old }, NOW)).toBe(true);
    expect(needsAttention({ state: 'paused', since: old }, NOW)).toBe(false);
    expect(needsAttention({ state: 'connected', since: old }, NOW)).toBe(false);
  });
});

describe('bannerLine', () => {
  it('says what happened, since when, and what became of the events', () => {
    const said = health({
      state: 'authentication_failed',
      cause: 'The token was refused.',
      lag: { events: 318, seconds: 1 },
    });
    expect(bannerLine({ name: 'Splunk' }, said, NOW)).toBe(
      'Splunk has not accepted events since 10:42 UTC – the token was refused. 318 events are waiting, none is lost.',
    );
  });

  it('does not say the destination’s name twice', () => {
    const said = health({ state: 'misconfigured', cause: 'Splunk answered “Incorrect index”' });
    expect(bannerLine({ name: 'Splunk' }, said, NOW)).toContain('– it answered “Incorrect index”.');
  });

  it('does not claim that events wait when none does', () => {
    expect(bannerLine({ name: 'Splunk' }, health({ state: 'disconnected' }), NOW)).toBe(
      'Splunk has not accepted events since 10:42 UTC. Nothing is waiting yet; new events will be kept.',
    );
  });
});

it('names the addresses that a firewall must let in, where they are known', () => {
  const fix = 'Check that your firewall allows our IP addresses.';
  expect(withAddresses(fix, ['192.0.2.10', '192.0.2.11'])).toBe(
    'Check that your firewall allows 192.0.2.10 and 192.0.2.11.',
  );
  expect(withAddresses(fix, [])).toBe(fix);
});
