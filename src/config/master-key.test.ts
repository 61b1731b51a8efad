import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../secrets.ts';
import { loadMasterKey, MasterKeyError, rotateMasterKey } from './master-key.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'trailproof-key-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const load = (config: { masterKey?: Secret; masterKeyFile?: string } = {}) =>
  loadMasterKey({ dataDir, masterKey: null, masterKeyFile: null, ...config });
const write = (name: string, text: string, mode = 0o600): string => {
  const file = join(dataDir, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

describe('loadMasterKey', () => {
  it('makes a key that only its owner may read, and finds it again', () => {
    const made = load();
    expect(made).toMatchObject({ created: true, previous: [], file: join(dataDir, 'master.key') });
    expect(made.key).toHaveLength(32);
    expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
    expect(load()).toMatchObject({ key: made.key, created: false });
  });

  it('takes base64, URL-safe base64 and hex for the same key', () => {
    const key = Buffer.alloc(32, 0xfb);
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      expect(load({ masterKey: new Secret(key.toString(encoding)) }).key).toEqual(key);
  });

  it('makes no file when the key is given', () => {
    load({ masterKey: new Secret('00'.repeat(32)) });
    expect(() => readFileSync(join(dataDir, 'master.key'))).toThrow('ENOENT');
  });

  it('refuses a key that others may read, and says how to mend it', () => {
    const file = write('master.key', 'ab'.repeat(32), 0o640);
    expect(() => load()).toThrow(MasterKeyError);
    expect(() => load()).toThrow(`chmod 600 ${file}`);
  });

  it('lets others read a mounted secret, but not write it', () => {
    const file = write('mounted', 'ab'.repeat(32), 0o444);
    expect(load({ masterKeyFile: file }).key).toEqual(Buffer.alloc(32, 0xab));
    chmodSync(file, 0o646);
    expect(() => load({ masterKeyFile: file })).toThrow(MasterKeyError);
  });

  it('does not make a key where a named file is missing: it would open nothing that is sealed', () => {
    expect(() => load({ masterKeyFile: join(dataDir, 'absent') })).toThrow(MasterKeyError);
  });

  it('refuses a damaged file rather than replacing it', () => {
    write('master.key', 'not a key\n');
    expect(() => load()).toThrow('does not hold a key');
  });

  it('begins again where a start was interrupted while it made a key', () => {
    write('master.key.new', 'half a k');
    const made = load();
    expect(load()).toMatchObject({ key: made.key, created: false });
    expect(readdirSync(dataDir)).toEqual(['master.key']);
  });

  it('keeps every earlier key while a rotation that was interrupted is made again', () => {
    const first = load().key;
    rotateMasterKey({ dataDir, masterKey: null, masterKeyFile: null });
    const second = load().key;
    write('master.key.previous.new', 'half a k');
    rotateMasterKey({ dataDir, masterKey: null, masterKeyFile: null });
    expect(load().previous).toEqual([second, first]);
  });

  it('reads the keys of before a rotation', () => {
    write('master.key', 'cc'.repeat(32));
    write('master.key.previous', `${'aa'.repeat(32)}\n${Buffer.alloc(32, 0xbb).toString('base64')}\n`);
    expect(load().previous).toEqual([Buffer.alloc(32, 0xaa), Buffer.alloc(32, 0xbb)]);
  });
});
