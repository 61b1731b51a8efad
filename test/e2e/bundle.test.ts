import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox } from '../../src/sandbox.ts';
import { eventually, producerEvent } from '../rig/events.ts';
import { startService, teamApi, temporaryFolder } from '../rig/service.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

describe('the built service', () => {
  let home: Awaited<ReturnType<typeof temporaryFolder>>;
  let main: string;

  /** Somewhere else, where no package can be found. */
  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist/main.js'))) throw new Error('dist/ is missing: npm run build');
    home = await temporaryFolder();
    for (const part of ['dist', 'package.json']) await cp(join(ROOT, part), join(home.path, part), { recursive: true });
    main = join(home.path, 'dist/main.js');
  });
  afterAll(() => home.remove());

  it('needs no package beside itself: accounts, console, API document, every SIEM, search and commands', async () => {
    const folder = await temporaryFolder();
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
    const service = await startService(folder.path, {}, main);
    try {
      const setUp = await fetch(`${service.url}/v1/setup`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          token: service.setupUrl!.split('#')[1],
          team: { id: 'acme', name: 'Acme' },
          user: { name: 'Ana', email: 'ana@acme.example', password: 'seven quiet rivers 7' },
        }),
      });
      expect(setUp.status, await setUp.text()).toBe(201);
      expect(await (await fetch(service.url)).text()).toContain('<title>');
      const { servers: _, ...document } = JSON.parse(
        await readFile(join(ROOT, 'docs/reference/openapi.json'), 'utf8'),
      ) as Record<string, unknown>;
      expect(await (await fetch(`${service.url}/openapi.json`)).json()).toMatchObject(document);

      const api = await teamApi(service, folder.path, 'widgets');
      for (const [kind, { settings }] of sandbox.standIns)
        await api.json('POST', '/v1/destinations', { kind, name: kind, settings });
      const event = producerEvent(1) as { id: string };
      await api.json('POST', '/v1/events', event);
      for (const [kind, standIn] of sandbox.standIns)
        await eventually(() => expect(standIn.ids().get(event.id), kind).toBe(1), 30_000);
      const found = await api.json('GET', '/v1/events?eventType=auth.login.success');
      expect(found).toMatchObject({ events: [{ id: event.id }] });
      await api.close();

      const { stdout } = await run(process.execPath, [main, 'teams', 'list', '--json'], {
        env: { DATA_DIR: folder.path },
      });
      expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ id: 'widgets' }));
      expect(await service.stop()).toBe(0);
    } finally {
      await service.kill();
      await sandbox.close();
      await folder.remove();
    }
  });

  it('carries the licence of every package it was built from', async () => {
    const text = await readFile(join(ROOT, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(manifest.dependencies)) expect(text).toContain(`${name} ${version} (`);
    expect(text).toContain('\nreact ');
  });
});
