import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { writeBackupNote } from '../store/backup-note.ts';
import type { DataFolder } from '../store/data-folder.ts';
import type { Cli } from './cli.ts';
import { count, progress, type Terminal } from './terminal.ts';

interface BackedUp {
  readonly folder: string;
  readonly teams: number;
  readonly events: number;
  readonly bytes: number;
  /** `environment`: it was not in the data folder. */
  readonly masterKey: 'included' | 'left out' | 'environment';
}

/** Beside the databases: what signs cookies and opens second factors, itself sealed under the master key. */
const FILES = ['accounts.key'];
/** The second is there while a rotation is under way. */
const MASTER_KEY_FILES = ['master.key', 'master.key.previous'];

export function addBackup(program: Command, cli: Cli): void {
  program
    .command('backup')
    .description('copy the data folder as it is now into a new folder, from which a service can be started')
    .argument('<folder>', 'where to; it is made, or empty')
    .option('--with-master-key', 'include master.key: whoever has the backup can then open stored credentials', false)
    .action(async (folder: string, o: { withMasterKey: boolean }) => {
      const done = await backUp(cli.config(), resolve(folder), o.withMasterKey, cli);
      cli.print(done, () => describe(done));
    });
}

async function backUp(
  config: Config,
  target: string,
  withMasterKey: boolean,
  { terminal, dataFolder }: Pick<Cli, 'terminal' | 'dataFolder'>,
): Promise<BackedUp> {
  const from = resolve(config.dataDir);
  const masterKey = masterKeyOf(config, withMasterKey);
  mustBeUsable(from, target);
  mkdirSync(dirname(target), { recursive: true });
  // Beside the target, so that it can be renamed: a folder under the name asked for is always whole.
  const partial = mkdtempSync(join(dirname(target), `.${basename(target)}-incomplete-`));
  try {
    const at = Date.now();
    await copyAll(from, partial, dataFolder, terminal, [
      ...FILES,
      ...(masterKey === 'included' ? MASTER_KEY_FILES : []),
    ]);
    const { teams, events } = verify(partial, dataFolder, terminal);
    writeBackupNote(partial, at);
    const bytes = makeDurable(partial);
    if (existsSync(target)) rmSync(target, { recursive: true });
    renameSync(partial, target);
    sync(dirname(target));
    return { folder: target, teams, events, bytes, masterKey };
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function masterKeyOf(config: Config, wanted: boolean): BackedUp['masterKey'] {
  const isElsewhere = config.masterKey !== null || config.masterKeyFile !== null;
  if (isElsewhere && wanted)
    throw new Error('The master key is not in the data folder: back up what MASTER_KEY or MASTER_KEY_FILE names.');
  if (isElsewhere) return 'environment';
  return wanted ? 'included' : 'left out';
}

function mustBeUsable(from: string, target: string): void {
  if (!existsSync(join(from, 'trailproof.db'))) throw new Error(`There is no trailproof.db in ${from} to back up.`);
  if (!relative(from, target).startsWith('..'))
    throw new Error(`${target} lies in the data folder. Name a folder outside of it, best on another disk.`);
  if (!existsSync(target)) return;
  if (!statSync(target).isDirectory() || readdirSync(target).length > 0)
    throw new Error(`${target} exists and is not an empty folder. Name a new one: no backup is written over another.`);
}

async function copyAll(
  from: string,
  to: string,
  dataFolder: DataFolder,
  terminal: Terminal,
  files: readonly string[],
): Promise<void> {
  const bar = progress(terminal);
  try {
    await dataFolder.copy(from, to, (done, total) => bar.show(done, total, 'copying'));
  } finally {
    bar.end();
  }
  for (const name of files) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
}

function verify(folder: string, dataFolder: DataFolder, terminal: Terminal): { teams: number; events: number } {
  const bar = progress(terminal);
  try {
    const { damage, ...counted } = dataFolder.examine(folder, 'quick', (done, total) =>
      bar.show(done, total, 'verifying'),
    );
    if (damage.length === 0) return counted;
    throw new Error(
      [
        'What is stored is damaged, so no backup was made; keep the ones you have.',
        ...damage.map((what) => `  ${what}`),
      ].join('\n'),
    );
  } finally {
    bar.end();
  }
}

/** Makes the files their owner's alone and syncs them. Returns how many bytes they have. */
function makeDurable(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    chmodSync(path, 0o600);
    sync(path);
    bytes += statSync(path).size;
  }
  chmodSync(folder, 0o700);
  sync(folder);
  return bytes;
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function describe({ folder, teams, events, bytes, masterKey }: BackedUp): string {
  const key = {
    included: 'The master key is included: whoever has this folder can open stored credentials.',
    'left out':
      'The master key (master.key) is not included: keep it elsewhere. Without it no stored credential can be opened.',
    environment: 'The master key is not included: it comes from MASTER_KEY or MASTER_KEY_FILE. Keep it elsewhere.',
  }[masterKey];
  return `Backed up ${count(events)} events of ${count(teams)} teams, ${count(Math.ceil(bytes / 1024 ** 2))} MiB, into ${folder}.\n${key}`;
}
