import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import type { Destination, Health } from '../../../src/contract/destinations.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox.ts';
import { eventually, producerEvent } from '../../rig/events.ts';
import { startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import { judge } from '../judge.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const ROUNDS = { short: 1, full: 2 };
const EVENTS = 200;
const STATES_WITHIN_MS = 60_000;

/** Rows changed by hand: what is broken is held and says why; everything else starts, takes and delivers as before. */
export const storedSettings: Scenario = {
  name: 'input/stored-settings',
  inShort: true,
  run: async ({ size, random, say }) => {
    let sum: Tally = { events: 0, faults: 0, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true };
    for (let n = 0; n < ROUNDS[size]; n++) {
      const { events, faults, lost, duplicated, deadLettered, countersExact } = await round(random.fork(`${n}`), say);
      sum = {
        ...{ events: sum.events + events, faults: sum.faults + faults, lost: sum.lost + lost },
        ...{ duplicated: sum.duplicated + duplicated, deadLettered: sum.deadLettered + deadLettered },
        countersExact: Boolean(sum.countersExact && countersExact),
      };
    }
    return sum;
  },
};

async function round(random: Random, say: (line: string) => void): Promise<Tally> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
  let service = await startService(folder.path);
  try {
    const api = await teamApi(service, folder.path);
    const odd = await teamApi(service, folder.path, 'odd');
    await odd.close();
    const healthy = await connect(api, sandbox, 'elastic', 'healthy');
    const broken: string[] = [];
    for (const { name } of DAMAGES) broken.push(await connect(api, sandbox, 'splunk', name));
    await api.close();
    await service.stop();
    damage(folder.path, broken, random);
    const sentBefore = sandbox.standIns.get('splunk')!.ids().size;

    service = await startService(folder.path);
    const { key } = api;
    const again = openApi({ url: service.url, key });
    const operator = openApi({ socketPath: operatorSocket(folder.path) });
    try {
      const events = Array.from({ length: EVENTS }, (_, i) => producerEvent(i, 'after'));
      await again.json('POST', '/v1/events', events);
      await eventually(async () => {
        const { items } = await again.json<{ items: Destination[] }>('GET', '/v1/destinations');
        assert.equal(items.length, broken.length + 1, 'every destination is shown');
        for (const { id, name, state } of items)
          if (id !== healthy) assert.equal(state, 'misconfigured', `${name} is ${state}`);
      }, STATES_WITHIN_MS);
      for (const id of broken) {
        const { cause, fix } = await again.json<Health>('GET', `/v1/destinations/${id}/health`);
        assert(cause && fix, `${id} does not say what is wrong and what to do`);
      }
      const standIn = sandbox.standIns.get('elastic')!;
      const acknowledged = events.map((_, i) => `after-${String(i).padStart(8, '0')}`);
      const judged = await judge({ api: again, destination: healthy, standIn, acknowledged });
      assert.equal(
        sandbox.standIns.get('splunk')!.ids().size,
        sentBefore,
        'a destination that is broken sent something',
      );

      // Keys that cannot say what they may do may do nothing; the team with broken alerts takes events.
      await assert.rejects(openApi({ url: service.url, key: odd.key }).json('GET', '/v1/events'), {
        code: 'missing_scope',
      });
      const { items: teams } = await operator.json<{ items: { id: string }[] }>('GET', '/v1/teams');
      assert.deepEqual(teams.map(({ id }) => id).sort(), ['acme', 'odd']);
      await operator.json('POST', '/v1/events?team=odd', producerEvent(0, 'odd'));
      await operator.json('GET', '/v1/team?team=odd');
      await operator.json('GET', '/v1/api-keys?team=odd');
      doctorSays(folder.path, broken.length);
      for (const id of broken) await again.json('DELETE', `/v1/destinations/${id}`);
      say(`${broken.length + OTHER_DAMAGES} rows broken: each destination is held and says why`);
      return { ...judged, faults: broken.length + OTHER_DAMAGES };
    } finally {
      await again.close();
      await operator.close();
    }
  } finally {
    await service.stop();
    await sandbox.close();
    await folder.remove();
  }
}

async function connect(
  api: Awaited<ReturnType<typeof teamApi>>,
  sandbox: Sandbox,
  kind: string,
  name: string,
): Promise<string> {
  const settings = sandbox.standIns.get(kind)!.settings;
  const made = await api.json<Destination>('POST', '/v1/destinations', { kind, name, settings, startAt: 'beginning' });
  // Only what comes later is sent, by those that still can.
  return made.id;
}

const GARBAGE = ['', 'null', '[]', '{}', '{"a":', '"text"', '0', '\u0000', '{"id":null}', '[[[[', 'é'];

interface Damage {
  readonly name: string;
  readonly column: 'body' | 'progress';
  /** The new text; what it was is JSON. */
  change(was: string, random: Random): string;
}

const DAMAGES: readonly Damage[] = [
  { name: 'a body of garbage', column: 'body', change: (_, random) => random.pick(GARBAGE) },
  {
    name: 'a body cut short',
    column: 'body',
    change: (was, random) => was.slice(0, random.between(1, was.length - 2)),
  },
  { name: 'a kind nobody knows', column: 'body', change: (was) => changed(was, { kind: 'carrier pigeon' }) },
  { name: 'no filters', column: 'body', change: (was) => changed(was, { filters: undefined }) },
  {
    name: 'filters of another shape',
    column: 'body',
    change: (was) => changed(was, { filters: [{ categories: 'all' }] }),
  },
  {
    name: 'settings that are none',
    column: 'body',
    change: (was, random) => changed(was, { settings: random.pick([null, [], 'x']) }),
  },
  {
    name: 'secrets that do not open',
    column: 'body',
    change: (was, random) => changed(was, { sealed: { token: random.pick(['', 'v1.a.b.c', 'v9', 'x']) } }),
  },
  { name: 'another one’s id', column: 'body', change: (was) => changed(was, { id: 'someone else' }) },
  { name: 'a progress of garbage', column: 'progress', change: (_, random) => random.pick(GARBAGE) },
  {
    name: 'a cursor that is none',
    column: 'progress',
    change: (was, random) => changed(was, { cursor: random.pick([-1, 1.5, '7', null]) }),
  },
];
/** Of keys, teams, filters, members, alerts. */
const OTHER_DAMAGES = 5;

function damage(folder: string, ids: readonly string[], random: Random): void {
  const database = new DatabaseSync(join(folder, 'trailproof.db'));
  try {
    for (const [i, { column, change }] of DAMAGES.entries()) {
      const row = database.prepare(`SELECT ${column} AS was FROM destination WHERE id = ?`).get(ids[i]!);
      const text = change(String(row?.['was']), random);
      // As an earlier version wrote it, which kept no checksum, or with one that no longer fits.
      const checksum = random.next() < 0.7 ? `, ${column}_checksum = NULL` : '';
      database.prepare(`UPDATE destination SET ${column} = ?${checksum} WHERE id = ?`).run(text, ids[i]!);
    }
    database.prepare("UPDATE api_key SET scopes = ? WHERE team = 'odd'").run(random.pick(GARBAGE));
    database.prepare("UPDATE team SET alerts = ? WHERE id = 'odd'").run(random.pick(GARBAGE));
    database
      .prepare(
        "INSERT INTO saved_filter (id, team, user, name, query, created_at) VALUES ('f', 'odd', 'u', 'n', ?, -1)",
      )
      .run(random.pick(GARBAGE));
    database.prepare("INSERT INTO member (team, user, role, joined_at) VALUES ('odd', 'u', 'emperor', 0)").run();
    database
      .prepare(
        "INSERT OR REPLACE INTO alert (destination_no, state, told_at) SELECT no, 'exploded', ? FROM destination",
      )
      .run(random.pick(GARBAGE));
  } finally {
    database.close();
  }
}

function changed(json: string, change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(json) as object), ...change });
}

function doctorSays(folder: string, broken: number): void {
  const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: folder };
  const { status, stdout } = spawnSync(process.execPath, [MAIN, 'doctor', '--json'], { env, encoding: 'utf8' });
  const findings = JSON.parse(stdout) as { name: string; ok: boolean }[];
  assert.equal(status, 1, stdout);
  const named = findings.filter(({ name, ok }) => !ok && name.startsWith('acme/'));
  assert.equal(named.length, broken, `doctor names ${named.length} of ${broken}: ${stdout}`);
}
