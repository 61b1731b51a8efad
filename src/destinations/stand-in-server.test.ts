import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOpenOutbound } from '../outbound/open-outbound.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { StandIn } from './destination.ts';
import { startStandInServer } from './stand-in-server.ts';

const never = new AbortController().signal;
let standIn: StandIn;
let outbound: Outbound;

/** A SIEM that takes one event per line, by its id. */
beforeAll(async () => {
  outbound = createOpenOutbound({ network: 'any', allowHttp: true })({});
  standIn = await startStandInServer(
    { port: 0, keep: 10 },
    {
      handle({ body }, store) {
        const refused: string[] = [];
        for (const id of body.toString().split('\n')) {
          if (store.wantsRejected(id)) {
            refused.push(id);
            store.reject();
          } else store.add(id, { id }, { id });
        }
        return { status: 200, body: { refused } };
      },
      faultAnswer: (kind) => ({ status: 599, body: { kind } }),
      strikes: (_kind, { path }) => path !== '/token',
      settings: (url) => ({ url }),
    },
  );
});
beforeEach(() => {
  standIn.setFault(null);
  standIn.reset();
});
afterAll(async () => {
  await outbound.close();
  await standIn.close();
});

async function ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: string | Buffer, headers = {}) {
  const answer = await outbound.request({ method, url: standIn.url + path, headers, body }, never);
  if (answer.kind === 'failure') throw new Error(answer.reason);
  const isJson = answer.headers['content-type'] === 'application/json';
  return { status: answer.status, body: isJson ? JSON.parse(answer.body) : answer.body };
}
const refusedOf = async (ids: readonly string[]) => (await ask('POST', '/', ids.join('\n'))).body.refused;

describe('a stand-in’s record', () => {
  it('counts every id and keeps the newest events whole', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `e${i}`);
    await ask('POST', '/', ids.join('\n'));
    await ask('POST', '/', 'e99');
    expect(standIn.counts()).toEqual({
      requests: 2,
      events: 101,
      distinct: 100,
      duplicates: 1,
      ignoredDuplicates: 0,
      rejected: 0,
    });
    expect(standIn.received().map(({ id }) => id)).toEqual([...ids.slice(-9), 'e99']);
    expect(standIn.ids().get('e99')).toBe(2);
  });

  it('unpacks gzip, and refuses what only says that it is gzip', async () => {
    await ask('POST', '/', gzipSync('zipped'), { 'content-encoding': 'gzip' });
    await ask('POST', '/', gzipSync('Zipped'), { 'content-encoding': 'GZIP' });
    expect([...standIn.ids().keys()]).toEqual(['zipped', 'Zipped']);
    expect(await ask('POST', '/', 'plain', { 'content-encoding': 'gzip' })).toMatchObject({ status: 400 });
  });

  it('keeps of what it does not keep whole the ids alone', async () => {
    setFlagsFromString('--expose-gc');
    const heapUsed = (): number => {
      runInNewContext('gc')();
      return process.memoryUsage().heapUsed;
    };
    const filler = 'x'.repeat(1_000_000);
    await ask('POST', '/', filler);
    const before = heapUsed();
    for (let i = 0; i < 60; i++) await ask('POST', '/', `an-id-of-some-length-${i}\n${filler}`);
    for (let i = 0; i < 20; i++) await ask('POST', '/', `${i}`);
    expect(standIn.counts().distinct).toBe(81);
    expect(heapUsed() - before).toBeLessThan(30_000_000);
  });

  it('is shown and cleared over HTTP', async () => {
    await ask('POST', '/', 'a\nb\nc');
    expect(await ask('GET', '/_stand-in')).toMatchObject({ body: { counts: { requests: 1, events: 3 }, fault: null } });
    const { body } = await ask('GET', '/_stand-in/received?limit=2');
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(['b', 'c']);
    const shown = async (limit: string) => (await ask('GET', `/_stand-in/received?limit=${limit}`)).body.items.length;
    for (const [limit, items] of Object.entries({ 0: 0, 1: 1, 99: 3, '-1': 3, many: 3, '': 3 }))
      expect([limit, await shown(limit)]).toEqual([limit, items]);
    const cleared = await fetch(`${standIn.url}/_stand-in/received`, { method: 'DELETE' });
    expect([cleared.status, standIn.counts().events]).toEqual([204, 0]);
  });
});

describe('a stand-in’s fault', () => {
  it('ends after so many requests, and spares those it does not strike', async () => {
    await ask('PUT', '/_stand-in/fault', JSON.stringify({ kind: 'busy', requests: 2 }));
    expect(standIn.fault()).toEqual({ kind: 'busy', requests: 2 });
    const statuses: number[] = [];
    for (const path of ['/', '/token', '/', '/', '/']) statuses.push((await ask('POST', path, 'x')).status);
    expect(statuses).toEqual([599, 200, 599, 200, 200]);
    expect(standIn.fault()).toBeNull();
  });

  it('ends by the clock or when it is cleared', async () => {
    standIn.setFault({ kind: 'error', ms: 60_000 });
    expect((await ask('POST', '/', 'x')).body).toEqual({ kind: 'error' });
    expect(standIn.fault()?.ms).toBeLessThanOrEqual(60_000);
    await fetch(`${standIn.url}/_stand-in/fault`, { method: 'DELETE' });
    expect((await ask('POST', '/', 'x')).status).toBe(200);
    standIn.setFault({ kind: 'error', ms: 0 });
    expect((await ask('POST', '/', 'x')).status).toBe(200);
  });

  it('refuses every third distinct new event, and the same ones when they come again', async () => {
    standIn.setFault({ kind: 'reject_items', every: 3 });
    expect(await refusedOf(['1', '2', '3', '4', '5', '6'])).toEqual(['3', '6']);
    expect(await refusedOf(['3', '4', '7', '8', '9'])).toEqual(['3', '9']);
    expect(standIn.counts()).toMatchObject({ distinct: 6, rejected: 4 });
    standIn.setFault(null);
    expect(await refusedOf(['3', '6', '9'])).toEqual([]);
  });

  it.each(['', '{}', '{"kind":"fire"}', '{"kind":"busy","requests":0}', '{"kind":"busy","colour":1}'])(
    'is not set by %j',
    async (body) => {
      expect(await ask('PUT', '/_stand-in/fault', body)).toMatchObject({ status: 400 });
      expect(standIn.fault()).toBeNull();
    },
  );
});
