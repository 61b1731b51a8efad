import { client, v2 } from '@datadog/datadog-api-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDatadogStandIn } from '../../src/destinations/datadog/stand-in.ts';
import type { StandIn } from '../../src/destinations/destination.ts';

/** Datadog's own client, unchanged, against the stand-in that judges our sender. */
describe("Datadog's client", () => {
  let standIn: StandIn;
  let key: string;
  beforeAll(async () => {
    standIn = await startDatadogStandIn({ port: 0 });
    key = String(standIn.settings['apiKey']);
  });
  beforeEach(() => {
    standIn.reset();
    standIn.setFault(null);
  });
  afterAll(() => standIn.close());

  function logs(apiKey: string, enableRetry = false): v2.LogsApi {
    const configuration = client.createConfiguration({
      authMethods: { apiKeyAuth: apiKey },
      baseServer: new client.ServerConfiguration(standIn.url, {}),
      enableRetry,
      maxRetries: 1,
    });
    return new v2.LogsApi(configuration);
  }

  const log = (id: string) => ({
    message: `log ${id}`,
    ddsource: 'acme',
    ddtags: 'env:test',
    service: 'audit-log',
    hostname: 'host-1',
    additionalProperties: { evt: { id } as unknown as string, status: 'warn' },
  });

  it.each([
    ['as it is', undefined],
    ['with gzip', 'gzip'],
    ['with deflate', 'deflate'],
  ] as const)('sends logs %s', async (_how, contentEncoding) => {
    const answer: unknown = await logs(key).submitLog({
      body: [log('a'), log('b')],
      ddtags: 'team:security',
      ...(contentEncoding && { contentEncoding }),
    });
    expect(answer).toEqual({});
    expect(standIn.received()).toMatchObject([
      {
        id: 'a',
        record: { message: 'log a', service: 'audit-log', ddtags: 'team:security,env:test', level: 'warning' },
      },
      { id: 'b', record: { message: 'log b', hostname: 'host-1' } },
    ]);
  });

  it('understands that the key is wrong', async () => {
    await expect(logs('another-key').submitLog({ body: [log('a')] })).rejects.toMatchObject({
      code: 403,
      body: { errors: [{ status: '403', title: 'Forbidden', detail: 'API key is missing or invalid' }] },
    });
    expect(standIn.counts().events).toBe(0);
  });

  it.each([
    ['refuse', 400],
    ['too_large', 413],
    ['throttle', 429],
    ['error', 500],
    ['busy', 503],
  ] as const)('understands the fault %s as %d', async (kind, code) => {
    standIn.setFault({ kind });
    await expect(logs(key).submitLog({ body: [log('a')] })).rejects.toMatchObject({
      code,
      body: { errors: [{ status: String(code) }] },
    });
  });

  it('comes back by itself after 429, when it is told to', async () => {
    standIn.setFault({ kind: 'throttle', requests: 1 });
    await logs(key, true).submitLog({ body: [log('a')] });
    expect(standIn.counts()).toMatchObject({ requests: 2, distinct: 1 });
  });

  it('validates keys', async () => {
    const { v1 } = await import('@datadog/datadog-api-client');
    const validate = (apiKey: string) =>
      new v1.AuthenticationApi(
        client.createConfiguration({
          authMethods: { apiKeyAuth: apiKey },
          baseServer: new client.ServerConfiguration(standIn.url, {}),
        }),
      ).validate();
    expect(await validate(key)).toMatchObject({ valid: true });
    await expect(validate('another-key')).rejects.toMatchObject({ code: 403 });
  });
});
