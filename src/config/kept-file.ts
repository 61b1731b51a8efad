import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/*
 * Files whose loss nobody could mend: at every moment whole or not there, readable for their owner alone, and
 * still there after the power failed once the call has returned.
 */

/** Writes the file, over one that is there. */
export function keepFile(path: string, text: string): void {
  writeBeside(path, text);
  renameSync(`${path}.new`, path);
  syncFolder(dirname(path));
}

/** Writes the file; throws with the code EEXIST when there is one. */
export function keepNewFile(path: string, text: string): void {
  writeBeside(path, text);
  try {
    linkSync(`${path}.new`, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw error;
    // A file system without second names (FAT, some network shares).
    renameSync(`${path}.new`, path);
  } finally {
    rmSync(`${path}.new`, { force: true });
  }
  syncFolder(dirname(path));
}

function writeBeside(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
}

/** A file's own sync does not cover its name. */
function syncFolder(folder: string): void {
  // Windows opens no folder, and writes names at once.
  if (process.platform === 'win32') return;
  const opened = openSync(folder, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
