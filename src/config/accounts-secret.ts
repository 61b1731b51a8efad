import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, type SecretBox } from '../secrets.ts';
import { keepFile } from './kept-file.ts';
import { MasterKeyError } from './master-key.ts';

/**
 * What signs cookies and seals second factors: made at first start and kept in `DATA_DIR/accounts.key`, itself sealed
 * under the master key, so that it outlives a rotation of that. Throws MasterKeyError when it does not open: with a new
 * one every second factor would be lost.
 */
export function loadAccountsSecret(dataDir: string, box: SecretBox): Secret {
  const file = join(dataDir, 'accounts.key');
  const keep = (secret: Secret): Secret => {
    keepFile(file, `${box.seal(secret, OWNER)}\n`);
    return secret;
  };
  if (!existsSync(file)) return keep(new Secret(randomBytes(32).toString('base64url')));
  const sealed = readFileSync(file, 'utf8').trim();
  try {
    const secret = box.open(sealed, OWNER);
    return box.isCurrent(sealed) ? secret : keep(secret);
  } catch (cause) {
    throw new MasterKeyError(
      `${file} does not open: restore the master key it was sealed under. If that is lost, remove the file: everybody signs in again, and second factors are set up anew.`,
      { cause },
    );
  }
}

const OWNER = 'accounts';
