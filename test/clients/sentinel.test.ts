import { ClientSecretCredential } from '@azure/identity';
import { AggregateLogsUploadError, LogsIngestionClient } from '@azure/monitor-ingestion';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StandIn } from '../../src/destinations/destination.ts';
import { startSentinelStandIn } from '../../src/destinations/sentinel/stand-in.ts';

describe("Azure's own clients, unchanged, against the stand-in", () => {
  let standIn: StandIn;
  let ca: string;

  beforeAll(async () => {
    const pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    ca = pems.cert;
    standIn = await startSentinelStandIn({ port: 0, tls: { certificate: pems.cert, key: pems.private } });
  });
  beforeEach(() => {
    standIn.setFault(null);
    standIn.reset();
  });
  afterAll(() => standIn.close());

  const setting = (name: string): string => {
    const value = standIn.settings[name];
    if (typeof value !== 'string') throw new Error(`the stand-in has no setting ${name}`);
    return value;
  };
  const clientWith = (secret: string): LogsIngestionClient => {
    const credential = new ClientSecretCredential(setting('tenantId'), setting('clientId'), secret, {
      authorityHost: setting('authorityHost'),
      disableInstanceDiscovery: true,
      tlsOptions: { ca },
    });
    return new LogsIngestionClient(setting('ingestionEndpoint'), credential, {
      tlsOptions: { ca },
      retryOptions: { maxRetries: 1, retryDelayInMs: 1 },
    });
  };
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      TimeGenerated: new Date().toISOString(),
      id: `event-${i}`,
      description: 'x'.repeat(1_000),
    }));

  it('sign in and upload, each row kept once', async () => {
    const client = clientWith(setting('clientSecret'));
    await client.upload(setting('dcrImmutableId'), setting('streamName'), rows(2_500));
    expect(standIn.counts()).toMatchObject({ events: 2_500, distinct: 2_500, duplicates: 0 });
    expect(standIn.received().at(-1)?.event).toMatchObject({ description: 'x'.repeat(1_000) });
  });

  it('try again after a throttled upload', async () => {
    standIn.setFault({ kind: 'throttle', requests: 1 });
    await clientWith(setting('clientSecret')).upload(setting('dcrImmutableId'), setting('streamName'), rows(3));
    expect(standIn.counts()).toMatchObject({ events: 3, duplicates: 0 });
  });

  /** Why an upload failed: the client gathers the causes of all its requests. */
  const failureOf = async (secret: string, dcr: string, stream: string): Promise<unknown> => {
    const thrown: unknown = await clientWith(secret)
      .upload(dcr, stream, rows(1))
      .catch((error: unknown) => error);
    if (!(thrown instanceof AggregateLogsUploadError)) return thrown;
    return thrown.errors[0]?.cause;
  };

  it('get no token for a wrong secret', async () => {
    expect(await failureOf('wrong', setting('dcrImmutableId'), setting('streamName'))).toMatchObject({
      name: 'AuthenticationRequiredError',
      message: expect.stringContaining('AADSTS7000215'),
    });
    expect(standIn.counts().events).toBe(0);
  });

  it('are told of an unknown rule and of an unknown stream', async () => {
    const secret = setting('clientSecret');
    const otherRule = await failureOf(secret, 'dcr-ffffffffffffffffffffffffffffffff', setting('streamName'));
    expect(otherRule).toMatchObject({ statusCode: 404, code: 'NotFound' });
    const otherStream = await failureOf(secret, setting('dcrImmutableId'), 'Custom-Other_CL');
    expect(otherStream).toMatchObject({ statusCode: 400, code: 'InvalidStream' });
    expect(standIn.counts().events).toBe(0);
  });
});
