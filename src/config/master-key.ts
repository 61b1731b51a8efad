import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secret } from '../secrets.ts';

/** The key that seals credentials, and older ones that only open what they sealed before a rotation. */
export interface MasterKeys {
  readonly key: Buffer;
  readonly previous: readonly Buffer[];
  /** Set when the key was made just now: whoever loses this file loses every stored credential, so it is said once. */
  readonly createdPath: string | null;
}

export type OpenMasterKeys =
  | { readonly ok: true; readonly keys: MasterKeys }
  | {
      readonly ok: false;
      readonly problems: readonly { readonly variable: string; readonly problem: string; readonly remedy: string }[];
    };

/**
 * The master key from the configuration, or from `DATA_DIR/master.key`, which is made (mode 0600) when absent.
 * `DATA_DIR/master.key.previous`, one key a line, holds the keys of before a rotation. Files open to
 * others are refused. The folder must exist.
 */
export async function openMasterKeys(config: {
  readonly dataDir: string;
  readonly masterKey: Secret | null;
  readonly masterKeyFile: string | null;
}): Promise<OpenMasterKeys> {
  try {
    const previous = await readKeys(join(config.dataDir, 'master.key.previous'), 'DATA_DIR', OTHERS_NOT_AT_ALL);
    const found = await currentKey(config);
    return { ok: true, keys: { ...found, previous: previous ?? [] } };
  } catch (error) {
    if (!(error instanceof KeyProblem)) throw error;
    return { ok: false, problems: [{ variable: error.variable, problem: error.message, remedy: error.remedy }] };
  }
}

/** 32 bytes from base64 (either alphabet) or hex; undefined when the text is neither. */
export function parseMasterKey(text: string): Buffer | undefined {
  const value = text.trim();
  if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return Buffer.from(value, 'base64');
  return undefined;
}

async function currentKey(config: {
  readonly dataDir: string;
  readonly masterKey: Secret | null;
  readonly masterKeyFile: string | null;
}): Promise<Omit<MasterKeys, 'previous'>> {
  const given = config.masterKey && parseMasterKey(config.masterKey.reveal());
  if (given) return { key: given, createdPath: null };
  const path = config.masterKeyFile ?? join(config.dataDir, 'master.key');
  const variable = config.masterKeyFile ? 'MASTER_KEY_FILE' : 'DATA_DIR';
  const [kept] = (await readKeys(path, variable, config.masterKeyFile ? OTHERS_READ_ONLY : OTHERS_NOT_AT_ALL)) ?? [];
  if (kept) return { key: kept, createdPath: null };
  if (config.masterKeyFile) throw new KeyProblem(variable, `${path} does not exist`, 'Create it, or leave it out.');
  const key = randomBytes(32);
  // "wx": two processes starting at once must not each believe in a key of their own.
  await writeFile(path, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return { key, createdPath: path };
}

/** Permission bits a key's file may not have. Secrets mounted by an orchestrator are often readable by all, inside a container. */
const OTHERS_NOT_AT_ALL = 0o077;
const OTHERS_READ_ONLY = 0o022;

/** The keys of a file, one a line; undefined when there is no such file. */
async function readKeys(path: string, variable: string, forbidden: number): Promise<Buffer[] | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new KeyProblem(variable, `${path} cannot be read (${error.code})`, 'Let the service read it.');
  });
  if (!found) return undefined;
  if (found.mode & forbidden)
    throw new KeyProblem(
      variable,
      `${path} is open to others (mode ${(found.mode & 0o777).toString(8)})`,
      `Run: chmod 600 ${path}`,
    );
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim());
  const keys = lines.map(parseMasterKey).filter((key) => key !== undefined);
  if (keys.length === 0 || keys.length < lines.length)
    throw new KeyProblem(
      variable,
      `${path} does not hold a key`,
      'Restore it: 32 bytes as base64 or hex, one key a line.',
    );
  return keys;
}

class KeyProblem extends Error {
  readonly variable: string;
  readonly remedy: string;
  constructor(variable: string, message: string, remedy: string) {
    super(message);
    this.variable = variable;
    this.remedy = remedy;
  }
}
