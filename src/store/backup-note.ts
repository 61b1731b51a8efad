import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a backup says of itself. A service that starts on it knows by this that its log has lost its youngest part. */
export interface BackupNote {
  readonly id: string;
  /** When what it holds was so, milliseconds since the epoch. */
  readonly at: number;
}

export function writeBackupNote(folder: string, at: number): void {
  const note = { id: randomUUID(), at: new Date(at).toISOString() };
  writeFileSync(join(folder, NOTE), `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

/** The note of the backup that this data folder is; undefined when it is none, or was announced. */
export function readBackupNote(folder: string): BackupNote | undefined {
  const file = join(folder, NOTE);
  if (!existsSync(file)) return undefined;
  const { id, at } = JSON.parse(readFileSync(file, 'utf8')) as { id: string; at: string };
  return { id, at: Date.parse(at) };
}

export function forgetBackupNote(folder: string): void {
  rmSync(join(folder, NOTE), { force: true });
}

const NOTE = 'backup.json';
