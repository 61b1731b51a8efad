import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, openApi } from '../../src/cli/api.ts';
import { operatorSocket } from '../../src/cli/operator-socket.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { eventually } from '../rig/events.ts';
import { meaningOf, received, type SdkLine } from '../rig/meaning.ts';
import { type ServiceProcess, startService, temporaryFolder } from '../rig/service.ts';

const fixtures = join(import.meta.dirname, '../../src/ingest/fixtures');
const sdk = readFileSync(join(fixtures, 'producer-sdk-v1.ndjson'));
const conflicts = readFileSync(join(fixtures, 'conflicts.ndjson'));
const lines = sdk
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as SdkLine);
const teams = [...new Set(lines.map((line) => line.team_id))];

describe('events as producers’ SDK writes them', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let sandbox: Sandbox;
  let service: ServiceProcess;
  let api: Api;

  beforeEach(async () => {
    folder = await temporaryFolder();
    sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10_000 });
    service = await startService(folder.path);
    const operator = openApi({ socketPath: operatorSocket(folder.path) });
    const { key } = await operator.json<{ key: string }>('POST', '/v1/api-keys', {
      team: null,
      name: 'producer',
      scopes: ['events:write', 'events:read', 'destinations:read', 'destinations:write'],
    });
    await operator.close();
    api = openApi({ url: service.url, key });
  });
  afterEach(async () => {
    await api.close();
    await service.stop();
    await sandbox.close();
    await folder.remove();
  });

  async function connectEveryTeam(): Promise<void> {
    for (const team of teams)
      for (const [kind, standIn] of sandbox.standIns) {
        const body = { kind, name: kind, settings: standIn.settings, startAt: 'beginning' };
        await api.json('POST', `/v1/destinations?team=${team}`, body);
      }
  }

  async function expectEveryLineAtEverySiem(): Promise<void> {
    for (const [kind, standIn] of sandbox.standIns) {
      await eventually(
        () => expect([...standIn.ids().keys()]).toEqual(expect.arrayContaining(lines.map((l) => l.id))),
        30_000,
      );
      const stored = new Map(standIn.received().map((r) => [r.id, r.event]));
      for (const line of lines) expect(received(stored.get(line.id)), `${kind} ${line.id}`).toEqual(meaningOf(line));
      expect(
        lines.filter((line) => standIn.ids().get(line.id) !== 1),
        `${kind}: repeats`,
      ).toEqual([]);
    }
  }

  it('come in once through the API, conflicts are refused, and every line is unchanged in meaning at all five SIEMs', async () => {
    const post = (body: Buffer) => api.post('/v1/events', 'application/x-ndjson', body);
    expect(await post(sdk)).toMatchObject({ status: 200, json: { accepted: 400, duplicates: 0, rejected: [] } });
    expect(await post(sdk)).toMatchObject({ status: 200, json: { accepted: 0, duplicates: 400, rejected: [] } });
    const refused = await post(conflicts);
    expect(refused).toMatchObject({ status: 422, json: { accepted: 0, duplicates: 0 } });
    const { rejected } = refused.json as { rejected: { code: string }[] };
    expect(rejected.map((r) => r.code)).toEqual(Array.from({ length: 10 }, () => 'id_conflict'));
    await connectEveryTeam();
    await expectEveryLineAtEverySiem();
  });

  it('come in once through the command line while the service runs, with the same result', async () => {
    await connectEveryTeam();
    const run = async (file: string): Promise<{ code: number; result: unknown }> => {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, '../../src/main.ts'), 'events', 'import', join(fixtures, file), '--json'],
        { env: { PATH: process.env['PATH'] ?? '', DATA_DIR: folder.path }, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let out = '';
      child.stdout.on('data', (text) => {
        out += text;
      });
      const [code] = (await once(child, 'close')) as [number];
      return { code, result: JSON.parse(out) };
    };
    expect(await run('producer-sdk-v1.ndjson')).toMatchObject({
      code: 0,
      result: { accepted: 400, duplicates: 0, rejected: 0 },
    });
    expect(await run('producer-sdk-v1.ndjson')).toMatchObject({
      code: 0,
      result: { accepted: 0, duplicates: 400, rejected: 0 },
    });
    expect(await run('conflicts.ndjson')).toMatchObject({ code: 1, result: { accepted: 0, rejected: 10 } });
    await expectEveryLineAtEverySiem();
  });
});
