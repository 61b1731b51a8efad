import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOM_BYTES = 256 * 1024 * 1024;

/**
 * A folder in which to look at what a power cut left; in memory, where there is room: what had reached the disk was
 * decided before, and nothing more needs to.
 */
export function scratchFolder(): string {
  return mkdtempSync(join(hasRoomInMemory() ? '/dev/shm' : tmpdir(), 'trailproof-cut-'));
}

export function emptied(folder: string): string {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  return folder;
}

function hasRoomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > ROOM_BYTES;
  } catch {
    return false;
  }
}
