import { once } from 'node:events';
import { loadAccountsSecret } from '../../../src/config/accounts-secret.ts';
import { forgetPreviousKeys, loadMasterKey, rotateMasterKey } from '../../../src/config/master-key.ts';
import { SecretBox } from '../../../src/secrets.ts';
import { steadyMs } from './memory-disk.ts';

/**
 * Makes the keys of a service on the disk and rotates them a few times, as `keys rotate` and the start after it do. Says
 * after each step from when on which keys are needed, one line of JSON each: `{at, needs, secret}`.
 */
const [folder = '', rotations = ''] = process.argv.slice(2);
const config = { dataDir: folder, masterKey: null, masterKeyFile: null };

process.stdout.write('{"ready":true}\n');
await once(process.stdin, 'data');
let key = load();
for (let n = 0; n < Number(rotations); n++) {
  const before = key;
  rotateMasterKey(config);
  say([before]);
  key = load();
  // Here everything in the database is sealed anew, and that is synced.
  say([key]);
  forgetPreviousKeys(folder);
}
process.stdin.destroy();

function load(): string {
  const master = loadMasterKey(config);
  const secret = loadAccountsSecret(folder, new SecretBox(master.key, master.previous)).reveal();
  const keys = [master.key, ...master.previous].map((each) => each.toString('hex'));
  say(keys, secret);
  return keys[0]!;
}

function say(needs: readonly string[], secret?: string): void {
  process.stdout.write(`${JSON.stringify({ at: steadyMs(), needs, secret })}\n`);
}
