import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { asUnwritable, isBusy, openToWrite } from './connection.ts';

/** Another process serves the folder. */
export class FolderLocked extends Error {}

/**
 * Takes the folder for this process, until `release` or the process's end, however it ends: the lock is an open
 * exclusive transaction on a database of its own, which the operating system frees. Throws FolderLocked at once when
 * another holder has it.
 */
export function lockFolder(folder: string): { release(): void } {
  const holder = join(folder, 'lock.pid');
  const lock = openToWrite(join(folder, 'lock.db'), 0);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw asUnwritable(folder, error) ?? error;
    throw new FolderLocked(
      `${folder} is in use by another Trailproof process (${readHolder(holder)}): stop it, or choose another DATA_DIR`,
      { cause: error },
    );
  }
  writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 });
  held.add(lock);
  return {
    release: () => {
      held.delete(lock);
      lock.close();
    },
  };
}

// A database nobody refers to is closed by the garbage collector, and its lock would go with it.
const held = new Set<DatabaseSync>();

function readHolder(path: string): string {
  try {
    return `process ${readFileSync(path, 'utf8').trim()}`;
  } catch {
    return 'process unknown';
  }
}
