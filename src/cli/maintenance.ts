import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { rotateMasterKey } from '../config/master-key.ts';
import type { Destination, Health } from '../contract/destinations.ts';
import type { Api } from './api.ts';
import { type Cli, EXIT } from './cli.ts';
import { isServing } from './session.ts';
import { count, progress } from './terminal.ts';

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}

/** Below this, a busy service fills the disk within hours. */
const LOW_DISK_BYTES = 1024 ** 3;

export function addMaintenance(program: Command, cli: Cli): void {
  program
    .command('migrate')
    .description('bring the database to this version (serve does so by itself at start)')
    .action(async () => {
      await cli.operator((api) => api.json('GET', '/readyz'));
      cli.print({ migrated: true }, () => 'The database is at the version of this program.');
    });

  program
    .command('doctor')
    .description('look for what would keep the service from working')
    .action(async () => {
      const findings = await examine(cli);
      cli.print(findings, () =>
        findings
          .map((f) => `${f.ok ? '✓' : '✕'} ${f.name.padEnd(14)} ${f.detail}${f.fix ? `\n  → ${f.fix}` : ''}`)
          .join('\n'),
      );
      if (findings.some((f) => !f.ok)) cli.exit(EXIT.failed);
    });

  program
    .command('master-key')
    .description('the key that seals stored credentials')
    .command('rotate')
    .description('make a new master key and seal every stored credential with it; the service must be stopped')
    .action(async () => {
      const config = cli.config();
      if (await isServing(config)) throw new Error('The service is running on this data folder. Stop it, then rotate.');
      const file = rotateMasterKey(config);
      // Starting the core seals everything under the new key and then forgets the previous one.
      await cli.operator((api) => api.json('GET', '/readyz'));
      if (await isServing(config))
        throw new Error('A service started on this data folder meanwhile. Restart it: it seals the credentials then.');
      cli.print(
        { rotated: true, file },
        () => `Sealed every stored credential under the new master key in ${file}. Back it up.`,
      );
    });
}

async function examine(cli: Cli): Promise<Finding[]> {
  const config = cli.config();
  const findings: Finding[] = [{ name: 'configuration', ok: true, detail: 'no mistakes' }];
  const folder = config.dataDir;
  if (!existsSync(folder)) {
    findings.push({ name: 'data folder', ok: true, detail: `${folder} does not exist yet; serve makes it` });
    return findings;
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  findings.push({
    name: 'disk',
    ok: free >= LOW_DISK_BYTES,
    detail: `${count(Math.round(free / 1024 ** 2))} MiB free in ${folder}`,
    ...(free >= LOW_DISK_BYTES
      ? {}
      : { fix: 'Free some space: a full disk refuses new events (nothing stored is lost).' }),
  });
  const open = (statSync(folder).mode & 0o077) !== 0;
  findings.push({
    name: 'permissions',
    ok: !open,
    detail: open ? `${folder} can be read by other users` : 'the data folder is private',
    ...(open ? { fix: `Run: chmod 700 ${folder}` } : {}),
  });
  if (config.masterKey === null && config.masterKeyFile === null)
    findings.push({
      name: 'master key',
      ok: existsSync(join(folder, 'master.key')),
      detail: `kept in ${join(folder, 'master.key')}, beside what it protects`,
      ...(existsSync(join(folder, 'master.key')) ? {} : { fix: 'Start the service once, or set MASTER_KEY.' }),
    });
  if (existsSync(join(folder, 'trailproof.db'))) findings.push(readThrough(cli, folder));
  findings.push({
    name: 'service',
    ok: true,
    detail: (await isServing(config)) ? 'running on this folder' : 'not running',
  });
  try {
    await cli.operator(async (api) => {
      await api.json('GET', '/readyz');
      findings.push({ name: 'store', ok: true, detail: 'can make events durable' });
      findings.push(...(await unhealthy(api)));
    });
  } catch (error) {
    findings.push({
      name: 'store',
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
      fix: 'See the message; nothing was changed.',
    });
  }
  return findings;
}

/** Reads all that is stored; with much of it that takes a while, and shows how far it is. */
function readThrough({ dataFolder, terminal }: Cli, folder: string): Finding {
  const bar = progress(terminal);
  const { teams, events, damage } = dataFolder.examine(folder, 'thorough', (done, total) =>
    bar.show(done, total, 'reading what is stored'),
  );
  bar.end();
  return {
    name: 'stored data',
    ok: damage.length === 0,
    detail:
      damage.length === 0
        ? `${count(events)} events of ${count(teams)} teams are as they were written`
        : damage.join('\n  '),
    ...(damage.length === 0
      ? {}
      : {
          fix: 'Stop the service and put a backup in the place of the data folder (docs/guide/operating.md, "Backup and restore"). Until then damaged events are neither shown nor sent; look at the disk, too.',
        }),
  };
}

async function unhealthy(api: Api): Promise<Finding[]> {
  const teams = await api.json<{ items: { id: string }[] }>('GET', '/v1/teams');
  const findings: Finding[] = [];
  for (const { id: team } of teams.items) {
    const query = `?team=${encodeURIComponent(team)}`;
    const { items } = await api.json<{ items: Destination[] }>('GET', `/v1/destinations${query}`);
    for (const { id, name } of items) {
      const health = await api.json<Health>('GET', `/v1/destinations/${id}/health${query}`);
      if (['connected', 'pending', 'paused'].includes(health.state)) continue;
      findings.push({
        name: `${team}/${name}`,
        ok: false,
        detail: `${health.state}: ${health.cause ?? ''} ${count(health.counts.pending)} events are waiting, none is lost.`,
        ...(health.fix ? { fix: health.fix } : {}),
      });
    }
  }
  return findings;
}
