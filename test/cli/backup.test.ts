import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../rig/service.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const LINE = '{"timestamp":"2026-01-15T10:30:00Z","eventType":"auth.logout","actor":{"id":"u1"}}\n';

describe('a backup', () => {
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  const at = (name: string): string => join(root.path, name);
  const run = (folder: string, args: readonly string[], { input = '', env = {} } = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'], DATA_DIR: at(folder), ...env },
      encoding: 'utf8',
      input,
    });
    return { code: status, out: stdout, err: stderr };
  };
  beforeAll(async () => {
    root = await temporaryFolder();
    run('data', ['teams', 'create', '--id', 'acme', '--name', 'Acme']);
    run('data', ['events', 'import', '-', '--team', 'acme'], { input: LINE.repeat(20) });
  });
  afterAll(() => root.remove());

  it('is a folder of its own, for its owner alone, without master key, index, locks and sockets', () => {
    const { code, out } = run('data', ['backup', at('first')]);
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Backed up 21 events of 1 teams, \d+ MiB, into .*\n.*master\.key\) is not included/),
    });
    expect(readdirSync(at('first')).sort()).toEqual(['accounts.db', 'accounts.key', 'backup.json', 'trailproof.db']);
    expect(statSync(at('first')).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(at('first'))) expect(statSync(join(at('first'), name)).mode & 0o777).toBe(0o600);
  });

  it('includes the master key when asked to, and says so', () => {
    mkdirSync(at('with-key'));
    const { code, out } = run('data', ['backup', at('with-key'), '--with-master-key', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ teams: 1, events: 21, masterKey: 'included', folder: at('with-key') });
    expect(readFileSync(join(at('with-key'), 'master.key'))).toEqual(readFileSync(join(at('data'), 'master.key')));
  });

  it('is what a service starts on, whose logs say once what was restored', () => {
    const doctor = run('with-key', ['doctor']);
    expect(doctor).toMatchObject({ code: 0, out: expect.stringContaining('are as they were written') });
    const lines = run('with-key', ['events', 'export', '--team', 'acme']).out.trim().split('\n');
    expect(lines).toHaveLength(22);
    expect(JSON.parse(lines[21]!)).toMatchObject({
      sequence: 22,
      eventType: 'audit.restored',
      description: expect.stringContaining('sequences from 22 on are given again'),
    });
    expect(readdirSync(at('with-key'))).not.toContain('backup.json');
  });

  it.each([
    ['over what is there', ['backup', '.'], {}, 'is not an empty folder'],
    ['into the data folder', ['backup', 'data/backup'], {}, 'lies in the data folder'],
    [
      'with a key that is elsewhere',
      ['backup', 'third', '--with-master-key'],
      { MASTER_KEY: 'a'.repeat(64) },
      'back up what MASTER_KEY or MASTER_KEY_FILE names',
    ],
  ])('is not made %s', (_, [command, folder, ...options], env, message) => {
    const ran = run('data', [command!, at(folder!), ...options], { env });
    expect(ran).toMatchObject({ code: 1, out: '', err: expect.stringContaining(message) });
  });

  it('is not made of nothing, nor of what is damaged; what was begun is taken away', () => {
    expect(run('nowhere', ['backup', at('third')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no trailproof.db'),
    });
    const file = join(at('first'), 'trailproof.db');
    const bytes = readFileSync(file);
    const place = bytes.lastIndexOf('"eventType":"team.created"');
    bytes.write('TEAM', place + 13);
    writeFileSync(file, bytes);
    expect(run('first', ['backup', at('third')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('damaged in events 1 to 1 of team acme'),
    });
    expect(run('first', ['doctor'])).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /✕ stored data .*damaged in events 1 to 1 of team acme[\s\S]*put a backup in the place/,
      ),
    });
    expect(readdirSync(root.path).sort()).toEqual(['data', 'first', 'with-key']);
  });
});
