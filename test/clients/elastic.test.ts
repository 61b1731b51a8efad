import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StandIn } from '../../src/destinations/destination.ts';
import { startElasticStandIn } from '../../src/destinations/elastic/stand-in.ts';

const INDEX = 'logs-app.audit-default';

describe("Elastic's own client, unchanged, against the stand-in", () => {
  let standIn: StandIn;
  let client: Client;

  beforeAll(async () => {
    standIn = await startElasticStandIn({ port: 0 });
    const apiKey = standIn.settings['apiKey'];
    if (typeof apiKey !== 'string') throw new Error('the stand-in has an API key');
    client = new Client({ node: standIn.url, auth: { apiKey }, compression: true });
  });
  beforeEach(() => {
    standIn.setFault(null);
    standIn.reset();
  });
  afterAll(async () => {
    await client.close();
    await standIn.close();
  });

  const documents = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `event-${i}`, '@timestamp': '2026-01-15T10:30:00.000Z', n: i }));
  const ingest = (count: number, onDrop: (status: number) => void) =>
    client.helpers.bulk<{ id: string }>({
      datasource: documents(count),
      onDocument: ({ id }) => ({ create: { _index: INDEX, _id: id } }),
      onDrop: ({ status }) => onDrop(status),
    });

  it('knows it as Elasticsearch', async () => {
    expect(await client.ping()).toBe(true);
    expect(await client.info()).toMatchObject({ tagline: 'You Know, for Search' });
  });

  it('asks for the key and its privileges', async () => {
    expect(await client.security.authenticate()).toMatchObject({ authentication_type: 'api_key' });
    const asked = { index: [{ names: [INDEX], privileges: ['create_doc' as const] }] };
    expect(await client.security.hasPrivileges(asked)).toMatchObject({
      has_all_requested: true,
      index: { [INDEX]: { create_doc: true } },
    });
  });

  it('writes documents in bulk, each kept once and whole', async () => {
    const stats = await ingest(2_500, () => expect.unreachable());
    expect(stats).toMatchObject({ total: 2_500, successful: 2_500, failed: 0 });
    expect(standIn.counts()).toMatchObject({ events: 2_500, distinct: 2_500, duplicates: 0 });
    expect(standIn.received().at(-1)?.record).toMatchObject({ _id: 'event-2499', _source: documents(2_500).at(-1) });
  });

  it('is told of documents that are already there', async () => {
    await ingest(3, () => expect.unreachable());
    const dropped: number[] = [];
    expect(await ingest(4, (status) => dropped.push(status))).toMatchObject({ successful: 1, failed: 3 });
    expect(dropped).toEqual([409, 409, 409]);
    expect(standIn.counts()).toMatchObject({ events: 4, duplicates: 0, ignoredDuplicates: 3 });
  });

  it('is told of a refused document among accepted ones', async () => {
    standIn.setFault({ kind: 'reject_items', every: 5 });
    const dropped: number[] = [];
    expect(await ingest(9, (status) => dropped.push(status))).toMatchObject({ successful: 8, failed: 1 });
    expect(dropped).toEqual([400]);
    expect(standIn.ids().has('event-4')).toBe(false);
  });

  it('is refused with a wrong key', async () => {
    const stranger = new Client({ node: standIn.url, auth: { apiKey: 'd3Jvbmc6a2V5' } });
    await expect(stranger.security.authenticate()).rejects.toMatchObject({ statusCode: 401 });
    await stranger.close();
  });
});
