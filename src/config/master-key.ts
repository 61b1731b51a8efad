import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Secret } from '../secrets.ts';
import { keepFile, keepNewFile } from './kept-file.ts';

/** The key that seals credentials, and older ones that only open what they sealed before a rotation. */
export interface MasterKey {
  readonly key: Buffer;
  readonly previous: readonly Buffer[];
  /** Where the key is kept; null when `MASTER_KEY` holds it. */
  readonly file: string | null;
  /** True when the file was made just now. Whoever loses it loses every stored credential: say so. */
  readonly created: boolean;
}

/** The master key cannot be used. The message says which file, why, and what to do. */
export class MasterKeyError extends Error {}

/**
 * The master key from the configuration, or from `DATA_DIR/master.key`, which is made (mode 0600) when absent; the
 * folder must exist. `DATA_DIR/master.key.previous` holds the keys of before a rotation, one a line. Throws
 * MasterKeyError for files that others may open or that hold no key.
 */
export function loadMasterKey(config: {
  readonly dataDir: string;
  readonly masterKey: Secret | null;
  readonly masterKeyFile: string | null;
}): MasterKey {
  const previous = readKeys(join(config.dataDir, PREVIOUS), OTHERS_NOT_AT_ALL) ?? [];
  const given = config.masterKey && parseMasterKey(config.masterKey.reveal());
  if (given) return { key: given, previous, file: null, created: false };

  const file = config.masterKeyFile ?? join(config.dataDir, 'master.key');
  const [kept] = readKeys(file, config.masterKeyFile ? OTHERS_READ_ONLY : OTHERS_NOT_AT_ALL) ?? [];
  if (kept) return { key: kept, previous, file, created: false };
  if (config.masterKeyFile)
    throw new MasterKeyError(`MASTER_KEY_FILE: ${file} does not exist. Create it, or unset it.`);

  const key = randomBytes(32);
  // None that appeared meanwhile is written over.
  keepNewFile(file, linesOf([key]));
  return { key, previous, file, created: true };
}

/**
 * Makes a new master key in `DATA_DIR/master.key` and keeps the one before it in `master.key.previous`, from which start
 * re-seals every credential. Returns the file. Throws MasterKeyError when the key comes from the environment.
 */
export function rotateMasterKey(config: Parameters<typeof loadMasterKey>[0]): string {
  if (config.masterKey || config.masterKeyFile)
    throw new MasterKeyError(
      `The master key comes from the environment. Write the present key into ${join(config.dataDir, PREVIOUS)} (mode 0600), set MASTER_KEY to a new one (openssl rand -base64 32), and start: every credential is sealed anew.`,
    );
  const { key, previous } = loadMasterKey(config);
  const file = join(config.dataDir, 'master.key');
  // The old key is in the other file before it leaves this one.
  keepFile(join(config.dataDir, PREVIOUS), linesOf([key, ...previous]));
  keepFile(file, linesOf([randomBytes(32)]));
  return file;
}

/** To be called when everything is sealed under the present key. */
export function forgetPreviousKeys(dataDir: string): void {
  rmSync(join(dataDir, PREVIOUS), { force: true });
}

/** Keys of before a rotation, one a line. */
const PREVIOUS = 'master.key.previous';

/** 32 bytes from base64 (either alphabet) or hex; undefined when the text is neither. */
export function parseMasterKey(text: string): Buffer | undefined {
  const value = text.trim();
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return Buffer.from(value, 'base64');
  return undefined;
}

function linesOf(keys: readonly Buffer[]): string {
  return keys.map((key) => `${key.toString('base64')}\n`).join('');
}

/** Permission bits a key's file may not have. Secrets an orchestrator mounts are readable by all inside the container. */
const OTHERS_NOT_AT_ALL = 0o077;
const OTHERS_READ_ONLY = 0o022;

/** The keys of a file, one a line; undefined when there is no such file. */
function readKeys(file: string, forbidden: number): Buffer[] | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (found.mode & forbidden) throw new MasterKeyError(`${file} is open to others. Run: chmod 600 ${file}`);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim());
  const keys = lines.map(parseMasterKey).filter((key) => key !== undefined);
  if (keys.length === 0 || keys.length < lines.length)
    throw new MasterKeyError(`${file} does not hold a key. Restore it: 32 bytes as base64 or hex, one key a line.`);
  return keys;
}
