import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Api, ApiError, openApi } from '../../../src/cli/api.ts';
import type { Health } from '../../../src/contract/destinations.ts';
import type { StandIn } from '../../../src/destinations/destination.ts';
import { startSandbox } from '../../../src/sandbox.ts';
import { eventually, exportLog, producerEvent } from '../../rig/events.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { command, type Serving, withService } from './process.ts';

/**
 * The whole service on a database of which stored events of one team have changed by a bit. They are in no answer, no
 * export and no delivery; their team's destination waits behind the events before them and says why, new events of
 * the team are taken; the other team notices nothing; the service's log and `doctor` name the place.
 */
export const damagedService: Scenario = { name: 'store/damaged-service', run };

const WITHIN_MS = 60_000;
const EVENTS = 700;
const KINDS = { acme: 'splunk', globex: 'elastic' } as const;

interface Team {
  readonly team: string;
  readonly key: string;
  readonly destination: string;
  readonly standIn: StandIn;
  /** Of the log before the damage, in order. */
  readonly ids: readonly string[];
}

async function run({ random, say }: ScenarioContext): Promise<Tally> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10 * EVENTS });
  try {
    const [acme, globex] = await withService(folder.path, async (service) => {
      const made = await Promise.all([
        setUp(service, folder.path, 'acme', sandbox.standIns.get(KINDS.acme)!),
        setUp(service, folder.path, 'globex', sandbox.standIns.get(KINDS.globex)!),
      ]);
      assert.equal(await service.stop(), 0, service.said());
      return made;
    });
    const { first, last } = strike(join(folder.path, 'trailproof.db'), random);
    const place = new RegExp(`trailproof\\.db is damaged in events ${first} to ${last} of team acme`);
    const doctor = await command(folder.path, ['doctor']);
    assert.equal(doctor.code, 1, doctor.said);
    assert.match(doctor.said, place);
    await withService(folder.path, async (service) => {
      await withTeam(service, globex, (api) => mustArrive(api, globex));
      await withTeam(service, acme, (api) => mustWait(api, acme, first));
      assert.match(service.said(), place);
      assert.equal(await service.stop(), 0, service.said());
    });
    say(
      `events ${first} to ${last} of ${acme.ids.length} struck: those before them were delivered, none of them or after`,
    );
    return { events: 2 * EVENTS, faults: 1, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true };
  } finally {
    await sandbox.close();
    await folder.remove();
  }
}

/** A team whose events wait: its destination is paused. */
async function setUp(service: Serving, folder: string, team: string, standIn: StandIn): Promise<Team> {
  const api = await teamApi(service, folder, team);
  try {
    const kind = team === 'acme' ? KINDS.acme : KINDS.globex;
    const body = { kind, name: kind, settings: standIn.settings, startAt: 'beginning' };
    const { id: destination } = await api.json<{ id: string }>('POST', '/v1/destinations', body);
    await api.json('POST', `/v1/destinations/${destination}/pause`);
    for (let n = 0; n < EVENTS; n += 100) await send(api, n, 100);
    const ids = (await exportLog(api)).map(({ id }) => id);
    return { team, key: api.key, destination, standIn, ids };
  } finally {
    await api.close();
  }
}

async function send(api: Api, from: number, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, i) => producerEvent(from + i));
  const { status, json } = await api.post('/v1/events', 'application/json', Buffer.from(JSON.stringify(events)));
  assert.equal(status, 200, JSON.stringify(json));
}

async function withTeam(service: Serving, { key }: Team, work: (api: Api) => Promise<void>): Promise<void> {
  const api = openApi({ url: service.url, key });
  try {
    await work(api);
  } finally {
    await api.close();
  }
}

/** Flips a bit in the body of a row in the middle of acme's log. */
function strike(path: string, random: Random): { first: number; last: number } {
  const database = new DatabaseSync(path);
  try {
    const row = database
      .prepare(
        `SELECT rowid AS id, first_sequence AS first, first_sequence + count - 1 AS last, CAST(body AS BLOB) AS body
         FROM chunk WHERE team_no = (SELECT no FROM team WHERE id = 'acme') AND first_sequence > 200
         ORDER BY first_sequence LIMIT 1`,
      )
      .get()!;
    const body = Buffer.from(row['body'] as Uint8Array);
    body[random.between(0, body.length - 1)]! ^= 1 << random.between(0, 6);
    const changed = database.prepare('UPDATE chunk SET body = ? WHERE rowid = ?').run(body, row['id']!);
    assert.equal(changed.changes, 1);
    return { first: Number(row['first']), last: Number(row['last']) };
  } finally {
    database.close();
  }
}

async function mustArrive(api: Api, { destination, standIn, ids }: Team): Promise<void> {
  await api.json('POST', `/v1/destinations/${destination}/resume`);
  await eventually(async () => {
    const { counts, state, cause } = await healthOf(api, destination);
    assert.equal(counts.pending, 0, `${counts.pending} events of the sound team wait: ${state}, ${cause}`);
    const at = standIn.ids();
    assert.equal(ids.filter((id) => !at.has(id)).length, 0, 'events of the sound team are missing');
  }, WITHIN_MS);
}

async function mustWait(api: Api, { destination, standIn, ids }: Team, first: number): Promise<void> {
  await api.json('POST', `/v1/destinations/${destination}/resume`);
  await send(api, EVENTS, 50);
  await eventually(async () => {
    const { counts, state, cause, fix } = await healthOf(api, destination);
    assert.equal(state, 'retrying', `${state}: ${cause}`);
    assert.match(cause ?? '', /damaged in the log of Trailproof\. Nothing is sent until it is repaired/);
    assert.match(fix ?? '', /backup/);
    assert.equal(counts.matched, counts.delivered + counts.deadLettered + counts.pending);
    assert.ok(counts.pending > EVENTS - first, `${counts.pending} events wait`);
    const at = standIn.ids();
    assert.equal(ids.slice(0, first - 1).filter((id) => !at.has(id)).length, 0, 'events before the damage wait, too');
  }, WITHIN_MS);
  const sound = new Set(ids.slice(0, first - 1));
  for (const id of standIn.ids().keys()) assert.ok(sound.has(id), `${id} was sent, and is not before the damage`);
  const damaged = ids[first]!;
  for (const path of [`/v1/events/${damaged}`, '/v1/events/export?format=ndjson&order=asc', '/v1/events?limit=1000'])
    await assert.rejects(
      readThrough(api, path),
      (error) => !(error instanceof ApiError) || (error.status === 500 && error.code === 'storage_damaged'),
      `${path} is answered as if nothing were`,
    );
  const found = await api.json<{ id: string }>('GET', `/v1/events/${ids[10]}`);
  assert.equal(found.id, ids[10]);
}

async function readThrough(api: Api, path: string): Promise<void> {
  for await (const _ of await api.stream(path));
}

function healthOf(api: Api, destination: string): Promise<Health> {
  return api.json('GET', `/v1/destinations/${destination}/health`);
}
