import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import { startDatadogStandIn } from '../../../src/destinations/datadog/stand-in.ts';
import { startSplunkStandIn } from '../../../src/destinations/splunk/stand-in.ts';
import { producerEvent } from '../../rig/events.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import { judge } from '../judge.ts';
import type { Scenario } from '../scenario.ts';
import { ask } from './http.ts';
import { type WatchedService, watchService } from './watched-service.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const ENV = { DESTINATION_NETWORK: 'any', ALLOW_HTTP_DESTINATIONS: 'true' };
const run = promisify(execFile);

/**
 * The master key is changed, and changed again while a start seals everything anew and is killed; API keys are changed
 * under load. No event is lost, no credential refused, and a revoked key stops with the answer that revokes it.
 */
export const keyRotation: Scenario = {
  name: 'security/key-rotation',
  withinSeconds: 150,
  uncertain: 'a service killed while it sealed its credentials anew may have sent a batch that nobody confirmed',
  async run({ size, random, say }) {
    const folder = await temporaryFolder();
    const siems = [await startSplunkStandIn({ port: 0 }), await startDatadogStandIn({ port: 0 })];
    const rotations = size === 'full' ? 4 : 1;
    let service = await watchService(folder.path, ENV);
    const load = startLoad(() => service);
    try {
      const api = await teamApi({ ...service, kill: async () => {}, stop: service.end }, folder.path);
      load.use(api.key);
      const destinations: string[] = [];
      for (const [i, kind] of ['splunk', 'datadog'].entries()) {
        const body = { kind, name: kind, settings: siems[i]!.settings, startAt: 'beginning' };
        const made = await ask(service.url, 'POST', '/v1/destinations', api, body);
        assert.equal(made.status, 201, made.text);
        destinations.push(String(made.json['id']));
      }
      await operate(folder.path, (operator) =>
        operator.json('PATCH', '/v1/team?team=acme', { alerts: { webhookUrl: 'http://127.0.0.1:9/' } }),
      );
      await api.close();
      let faults = 0;
      let sealed = sealedIn(folder.path);
      for (let round = 0; round < rotations; round++) {
        await load.more(200);
        faults += await changeApiKeys(service, folder.path, load);
        await service.end();
        await run(process.execPath, [MAIN, 'master-key', 'rotate'], {
          env: { PATH: process.env['PATH'], DATA_DIR: folder.path, ...ENV },
        });
        if (round % 2 === 1) faults += await killWhileSealing(folder.path, random.between(50, 900));
        service = await watchService(folder.path, ENV);
        faults += 1;
        const now = sealedIn(folder.path);
        assert.equal(now.length, sealed.length);
        for (const text of now)
          assert.ok(!sealed.some((before) => keyOf(before) === keyOf(text)), 'sealed under an old key');
        assert.equal(new Set(now.map(keyOf)).size, 1, 'sealed under one key');
        assert.ok(!existsSync(join(folder.path, 'master.key.previous')), 'the previous key is forgotten');
        sealed = now;
      }
      await load.more(200);
      await load.stop();
      const judged = openApi({ url: service.url, key: load.key() });
      const total = { events: 0, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true as boolean | null };
      for (const [i, destination] of destinations.entries()) {
        const tally = await judge({ api: judged, destination, standIn: siems[i]!, acknowledged: load.acknowledged });
        total.events = tally.events;
        total.lost += tally.lost;
        total.duplicated += tally.duplicated;
        total.deadLettered += tally.deadLettered;
        if (tally.countersExact === false) total.countersExact = false;
        const attempts = await judged.json<{ items: readonly { outcome: string }[] }>(
          'GET',
          `/v1/destinations/${destination}/attempts?limit=1000`,
        );
        assert.ok(!attempts.items.some(({ outcome }) => outcome === 'misconfigured'), 'a credential was refused');
      }
      await judged.close();
      say(
        `${rotations} master keys, ${rotations} API keys revoked under load, ${load.refused()} requests refused for theirs`,
      );
      return { ...total, faults };
    } finally {
      await load.stop();
      await service.end();
      await Promise.all(siems.map((siem) => siem.close()));
      await folder.remove();
    }
  },
};

interface Load {
  readonly acknowledged: Set<string>;
  key(): string;
  use(key: string): void;
  /** Resolves when so many more were acknowledged. */
  more(events: number): Promise<void>;
  refused(): number;
  stop(): Promise<void>;
}

/** One producer that sends each batch until it is acknowledged, wherever the service is just now. */
function startLoad(service: () => WatchedService): Load {
  const acknowledged = new Set<string>();
  const stopping = new AbortController();
  let key = '';
  let refused = 0;
  let moved = Promise.withResolvers<void>();
  const produce = async (): Promise<void> => {
    for (let next = 0; !stopping.signal.aborted && next < 1_000_000; next += 20) {
      const events = Array.from({ length: 20 }, (_, i) => producerEvent(next + i));
      while (!stopping.signal.aborted) {
        const answer =
          key === '' ? null : await ask(service().url, 'POST', '/v1/events', { key }, events).catch(() => null);
        if (answer?.status === 200) break;
        if (answer?.status === 401) refused += 1;
        // Not there for a moment; a producer waits a little before it asks again.
        await pause(20, undefined, { signal: stopping.signal }).catch(() => {});
      }
      if (stopping.signal.aborted) return;
      for (let i = 0; i < 20; i++) acknowledged.add(`evt-${String(next + i).padStart(8, '0')}`);
      moved.resolve();
      moved = Promise.withResolvers();
    }
  };
  const producing = produce();
  return {
    acknowledged,
    key: () => key,
    use: (next) => {
      key = next;
    },
    more: async (events) => {
      const until = acknowledged.size + events;
      while (acknowledged.size < until) await moved.promise;
    },
    refused: () => refused,
    stop: async () => {
      stopping.abort();
      await producing;
    },
  };
}

/** A new key beside the old one, then the old one revoked: no request after that answer gets through with it. */
async function changeApiKeys(service: WatchedService, folder: string, load: Load): Promise<number> {
  const old = load.key();
  return operate(folder, async (operator) => {
    const scopes = ['events:write', 'events:read', 'destinations:read'];
    const made = await operator.json<{ key: string }>('POST', '/v1/api-keys?team=acme', {
      team: 'acme',
      name: 'next',
      scopes,
    });
    const { items } = await operator.json<{ items: readonly { id: string; status: string; name: string }[] }>(
      'GET',
      '/v1/api-keys?team=acme',
    );
    const before = items.filter(({ status }) => status === 'active').at(-1)!;
    assert.equal((await ask(service.url, 'GET', '/v1/events?limit=1', { key: old })).status, 200);
    await operator.json('DELETE', `/v1/api-keys/${before.id}?team=acme`);
    const tries = await Promise.all(
      Array.from({ length: 20 }, () => ask(service.url, 'GET', '/v1/events?limit=1', { key: old })),
    );
    for (const { status } of tries) assert.equal(status, 401, 'a revoked key still opens');
    load.use(made.key);
    await load.more(40);
    return tries.length;
  });
}

/** Starts, and is killed at some moment of it: whatever is sealed by then opens at the next start. */
async function killWhileSealing(folder: string, afterMs: number): Promise<number> {
  const env = { PATH: process.env['PATH'], DATA_DIR: folder, PORT: '0', ...ENV };
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: 'ignore' });
  const closed = once(child, 'close');
  await pause(afterMs);
  child.kill('SIGKILL');
  await closed;
  return 1;
}

async function operate<T>(folder: string, work: (operator: ReturnType<typeof openApi>) => Promise<T>): Promise<T> {
  const operator = openApi({ socketPath: operatorSocket(folder) });
  try {
    return await work(operator);
  } finally {
    await operator.close();
  }
}

/** Everything sealed that the database holds. */
function sealedIn(folder: string): readonly string[] {
  const database = new DatabaseSync(join(folder, 'trailproof.db'), { readOnly: true });
  try {
    const rows = [
      ...database.prepare('SELECT body AS kept FROM destination').all(),
      ...database.prepare('SELECT alerts AS kept FROM team').all(),
    ];
    return rows.flatMap(({ kept }) => String(kept).match(/v1\.[0-9a-f]{8}\.[\w-]+\.[\w-]+/g) ?? []);
  } finally {
    database.close();
  }
}

/** Which master key sealed it. */
function keyOf(sealed: string): string {
  return sealed.split('.')[1]!;
}
