import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceProcess, startService, temporaryFolder } from '../rig/service.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  folder: string,
  args: readonly string[],
  /** `leaves`: closes the output after the first piece of it. */
  options: { input?: string; env?: Record<string, string>; leaves?: boolean } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', DATA_DIR: folder, ...options.env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
    if (options.leaves) child.stdout.destroy();
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

describe('the command line', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  it('explains itself', async () => {
    const { code, out } = await run(folder.path, ['--help']);
    expect(code).toBe(0);
    for (const command of [
      'serve',
      'demo',
      'sandbox',
      'teams',
      'keys',
      'users',
      'events',
      'destinations',
      'doctor',
      'migrate',
    ])
      expect(out).toContain(command);
    expect(out).toContain('Exit codes');
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['keys', 'create', '--scope', 'everything', '--team', 'acme'], 'Allowed choices are'],
    [['keys', 'create', '--scope', 'events:read'], 'name either --team or --all-teams'],
    [['teams', 'create', '--id', 'acme'], "required option '--name <name>'"],
    [['demo', '--events', 'many'], "argument 'many' is invalid. It is not a whole number."],
    [['sandbox', '--port', '65535'], 'It is at most 65530'],
    [
      ['destinations', 'create', '--team', 'a', '--kind', 'splunk', '--name', 'S', '--set', 'token'],
      'Write name=value.',
    ],
    [
      ['destinations', 'create', '--team', 'a', '--kind', 'splunk', '--name', 'S', '--set', 'token=@/no/such/file'],
      'There is no file /no/such/file.',
    ],
    [['events', 'import', 'f', '--url', 'trailproof.example'], 'It is not an http(s) address.'],
  ])('answers wrong usage %j with 2 and what is wrong', async (args, message) => {
    const { code, err } = await run(folder.path, args);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });

  it('says which version it is', async () => {
    expect(await run(folder.path, ['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('takes scopes one by one, side by side and with commas', async () => {
    const create = ['keys', 'create', '--all-teams', '--json', '--scope'];
    const scopes = ['events:write', 'events:read', 'destinations:read'];
    for (const given of [scopes, [scopes.join(',')], [scopes[0]!, '--scope', scopes[1]!, '--scope', scopes[2]!]]) {
      const made = await run(folder.path, [...create, ...given]);
      expect(JSON.parse(made.out)).toMatchObject({ team: null, scopes });
    }
    for (const key of JSON.parse((await run(folder.path, ['keys', 'list', '--json'])).out) as { id: string }[])
      await run(folder.path, ['keys', 'revoke', key.id]);
  });

  it('reports every configuration mistake at once and exits with 3', async () => {
    const { code, err } = await run(folder.path, ['serve'], {
      env: { PORT: 'eighty', RETENTION_DAYS: '-1', DATABASE_URL: 'postgres://db/trailproof' },
    });
    expect(code).toBe(3);
    for (const variable of ['PORT', 'RETENTION_DAYS', 'DATABASE_URL']) expect(err).toContain(variable);
  });

  it('lets commands wait for each other', async () => {
    const ids = ['one', 'two', 'three'];
    const made = await Promise.all(ids.map((id) => run(folder.path, ['teams', 'create', '--id', id, '--name', id])));
    expect(made).toMatchObject(ids.map(() => ({ code: 0, err: '' })));
  });

  it('keeps invitations while the service is stopped, but no other link', async () => {
    await run(folder.path, ['teams', 'create', '--id', 'stopped', '--name', 'Stopped']);
    const person = ['--email', 'ana@acme.example'];
    const created = await run(folder.path, ['users', 'create', ...person, '--team', 'stopped', '--role', 'owner']);
    expect(created).toMatchObject({ code: 0, out: expect.stringMatching(/^http\S+\/join#\S{43}\n/) });
    expect(await run(folder.path, ['users', 'sign-in-link', ...person])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('start it, then ask again'),
    });
  });

  it('administers a stopped service: team, key, import, export', async () => {
    expect(await run(folder.path, ['teams', 'create', '--id', 'acme', '--name', 'Acme'])).toMatchObject({ code: 0 });
    expect(await run(folder.path, ['teams', 'create', '--id', 'acme', '--name', 'Again'])).toMatchObject({ code: 1 });
    const key = await run(folder.path, ['keys', 'create', '--team', 'acme', '--scope', 'events:write', '--quiet']);
    expect(key).toMatchObject({ code: 0, out: expect.stringMatching(/^tp_[\w-]{43}\n$/) });
    const listed = JSON.parse((await run(folder.path, ['keys', 'list', '--team', 'acme', '--json'])).out) as {
      id: string;
      team: string;
    }[];
    expect(listed).toMatchObject([{ team: 'acme', scopes: ['events:write'] }]);
    expect(JSON.stringify(listed)).not.toContain(key.out.trim());
    expect(await run(folder.path, ['keys', 'revoke', listed[0]!.id])).toMatchObject({ code: 0 });
    expect(await run(folder.path, ['keys', 'revoke', listed[0]!.id])).toMatchObject({ code: 1 });

    const line = '{"timestamp":"2026-01-15T10:30:00Z","eventType":"auth.logout","actor":{"id":"u1"}}';
    const imported = ['events', 'import', '-', '--team', 'acme', '--json'];
    const input = `${line}\n${line}\nnot json\n`;
    const first = await run(folder.path, imported, { input });
    expect(first.code).toBe(4);
    expect(JSON.parse(first.out)).toMatchObject({
      accepted: 2,
      duplicates: 0,
      rejected: 1,
      examples: [{ line: 3, code: 'invalid_json' }],
    });
    const again = await run(folder.path, imported, { input });
    expect(JSON.parse(again.out)).toMatchObject({ accepted: 0, duplicates: 2, rejected: 1 });

    const exported = await run(folder.path, ['events', 'export', '--team', 'acme', '--event-type', 'auth.logout']);
    const events = exported.out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { id: string; sequence: number });
    expect(events).toHaveLength(2);
    expect(new Set(events.map((e) => e.id)).size).toBe(2);
    const csv = await run(folder.path, [
      'events',
      'export',
      '--team',
      'acme',
      '--format',
      'csv',
      '--event-type',
      'auth.logout',
    ]);
    expect(csv.out.trim().split(/\r?\n/)).toHaveLength(3);
  });

  it('imports a file with a byte order mark and thousands of blank lines, and again nothing of it', async () => {
    const line = '{"timestamp":"2026-01-15T10:30:00Z","eventType":"auth.logout","actor":{"id":"marked"}}';
    const input = `\ufeff${line}\n${'\n'.repeat(5000)}oops\n`;
    const imported = ['events', 'import', '-', '--team', 'acme', '--json'];
    const rejected = { rejected: 1, examples: [{ line: 5002, code: 'invalid_json' }] };
    const first = await run(folder.path, imported, { input });
    expect(JSON.parse(first.out)).toMatchObject({ accepted: 1, ...rejected });
    const again = await run(folder.path, imported, { input });
    expect(JSON.parse(again.out)).toMatchObject({ accepted: 0, duplicates: 1, ...rejected });
  });

  it.each([
    [['events', 'import', '/no/such/file'], 'There is no file /no/such/file.'],
    [['events', 'import', tmpdir()], 'is a folder. Name a file with one event a line (NDJSON).'],
    [['events', 'import', MAIN, '--url', 'http://127.0.0.1:1'], 'Does the service run there?'],
  ])('says of %j what happened and what to do, and exits with 1', async (args, message) => {
    const { code, err } = await run(folder.path, args, { env: { TRAILPROOF_KEY: 'tp_key' } });
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining(message) });
  });

  it('names each wrong field once', async () => {
    expect(await run(folder.path, ['teams', 'create', '--id', '_x', '--name', 'X'])).toMatchObject({
      code: 1,
      err: 'The request is not as documented\n  id: must not begin with _\n',
    });
  });

  it('takes a reader that had enough for no failure', async () => {
    await run(folder.path, ['teams', 'create', '--id', 'long', '--name', 'Long']);
    const line = `{"timestamp":"2026-01-15T10:30:00Z","eventType":"auth.logout","description":"${'x'.repeat(100_000)}"}\n`;
    await run(folder.path, ['events', 'import', '-', '--team', 'long'], { input: line.repeat(20) });
    expect(await run(folder.path, ['events', 'export', '--team', 'long'], { leaves: true })).toMatchObject({
      code: 0,
      err: '',
    });
  });

  it('finds nothing wrong with a healthy folder, and says what is wrong with an open one', async () => {
    expect(await run(folder.path, ['doctor'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('can make events durable'),
    });
    const open = await temporaryFolder();
    await writeFile(
      join(open.path, 'trailproof.db'),
      'this is not a database, and it is long enough to be read as one',
    );
    const { code, out } = await run(open.path, ['doctor']);
    expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('✕ store') });
    await open.remove();
  });
});

describe('while the service runs', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: ServiceProcess;
  beforeAll(async () => {
    folder = await temporaryFolder();
    service = await startService(folder.path);
  });
  afterAll(async () => {
    await service.stop();
    await folder.remove();
  });

  it('refuses a second service on the same folder', async () => {
    expect(await run(folder.path, ['serve'], { env: { PORT: '0' } })).toMatchObject({
      code: 1,
      err: expect.stringContaining('in use by another Trailproof process'),
    });
  });

  it('administers it through its socket, and a revoked key stops at once', async () => {
    await run(folder.path, ['teams', 'create', '--id', 'live', '--name', 'Live']);
    const key = (
      await run(folder.path, ['keys', 'create', '--team', 'live', '--scope', 'events:read', '--quiet'])
    ).out.trim();
    const ask = (): Promise<number> =>
      fetch(`${service.url}/v1/events`, { headers: { authorization: `Bearer ${key}` } }).then(
        (answer) => answer.status,
      );
    expect(await ask()).toBe(200);
    const [{ id }] = JSON.parse((await run(folder.path, ['keys', 'list', '--team', 'live', '--json'])).out) as [
      { id: string },
    ];
    expect(await run(folder.path, ['keys', 'revoke', id])).toMatchObject({ code: 0 });
    expect(await ask()).toBe(401);
  });

  it('lets people in by links that work', async () => {
    await run(folder.path, ['teams', 'create', '--id', 'people', '--name', 'People']);
    const person = ['--email', 'ana@acme.example'];
    const create = ['users', 'create', ...person, '--team', 'people', '--role', 'owner', '--json'];
    const { link } = JSON.parse((await run(folder.path, create)).out) as { link: string };
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${service.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect(link).toMatch(new RegExp(`^${service.url}/join#`));
    const account = { name: 'Ana', password: 'four unrelated words walk home' };
    expect((await post('/v1/invitations/accept', { token: link.split('#')[1], ...account })).status).toBe(200);
    const listed = await run(folder.path, ['users', 'list', '--team', 'people', '--json']);
    expect(JSON.parse(listed.out)).toMatchObject([{ email: 'ana@acme.example', role: 'owner', status: 'active' }]);

    const signIn = JSON.parse((await run(folder.path, ['users', 'sign-in-link', ...person, '--json'])).out) as {
      url: string;
    };
    const signedIn = await post('/v1/links/sign-in', { token: signIn.url.split('#')[1] });
    expect(signedIn.headers.getSetCookie()).toHaveLength(1);
    const reset = await run(folder.path, ['users', 'reset-password', ...person]);
    expect(reset).toMatchObject({ code: 0, out: expect.stringContaining(`${service.url}/reset#`) });
    expect(await run(folder.path, ['users', 'sign-in-link', '--email', 'nobody@acme.example'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('Nobody has the address'),
    });
  });

  it('ends with 0 on SIGTERM and leaves the folder free', async () => {
    const other = await temporaryFolder();
    const second = await startService(other.path);
    expect(await second.stop()).toBe(0);
    expect(await run(other.path, ['teams', 'list'])).toMatchObject({ code: 0 });
    await other.remove();
  });
});
