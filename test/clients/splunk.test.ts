import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StandIn } from '../../src/destinations/destination.ts';
import { STAND_IN_TOKENS, startSplunkStandIn } from '../../src/destinations/splunk/stand-in.ts';

/** The part of the official client that is used here; the package has no types. */
interface SplunkClient {
  eventFormatter: (message: unknown) => unknown;
  error: (error: Error) => void;
  send(context: { message: unknown; metadata?: { time?: number; index?: string } }): void;
  flush(answered: (error: Error | null, response: unknown, body: unknown) => void): void;
}
interface SplunkLogging {
  readonly Logger: new (config: { token: string; url: string; maxBatchCount: number }) => SplunkClient;
}

const { Logger }: SplunkLogging = createRequire(import.meta.url)('splunk-logging');

describe('the official Splunk client', () => {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startSplunkStandIn({ port: 0 });
  });
  beforeEach(() => {
    standIn.reset();
    standIn.setFault(null);
  });
  afterAll(() => standIn.close());

  function client(token: string = STAND_IN_TOKENS.plain): SplunkClient {
    const logger = new Logger({ token, url: standIn.url, maxBatchCount: 0 });
    logger.eventFormatter = (message) => message;
    return logger;
  }

  /** What the client hands its user: the parsed answer, or the error it made of it. */
  function flush(logger: SplunkClient): Promise<{ readonly error: unknown; readonly body: unknown }> {
    return new Promise((resolve) => {
      logger.error = (error) => resolve({ error, body: undefined });
      logger.flush((error, _response, body) => resolve({ error, body }));
    });
  }

  it('delivers a batch to the stand-in, unchanged', async () => {
    const logger = client();
    const events = [{ id: 'a', text: '}{"' }, { id: 'b', text: 'ö' }, { id: 'c' }];
    for (const message of events) logger.send({ message, metadata: { time: 1_700_000_000_123, index: 'audit' } });
    expect(await flush(logger)).toEqual({ error: null, body: { text: 'Success', code: 0 } });
    expect(standIn.received().map(({ event }) => event)).toEqual(events);
    expect(standIn.received()[0]?.record).toMatchObject({ time: '1700000000.123', index: 'audit' });
  });

  it('reads the stand-in’s refusals as Splunk’s', async () => {
    const refused = client('99999999-9999-9999-9999-999999999999');
    refused.send({ message: { id: 'a' } });
    expect(await flush(refused)).toMatchObject({ error: { message: 'Invalid token', code: 4 } });

    const misplaced = client();
    misplaced.send({ message: { id: 'a' }, metadata: { index: 'elsewhere' } });
    expect(await flush(misplaced)).toMatchObject({ error: { message: 'Incorrect index', code: 7 } });

    standIn.setFault({ kind: 'busy' });
    const early = client();
    early.send({ message: { id: 'a' } });
    expect(await flush(early)).toMatchObject({ error: { message: 'Server is busy', code: 9 } });
    expect(standIn.counts().events).toBe(0);
  });
});
