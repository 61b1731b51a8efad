import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretBox } from '../secrets.ts';
import { loadAccountsSecret } from './accounts-secret.ts';
import { MasterKeyError } from './master-key.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'trailproof-accounts-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const [before, after] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const file = () => readFileSync(join(dataDir, 'accounts.key'), 'utf8');

describe('the secret of accounts', () => {
  it('is made once, kept sealed, and for its owner alone', () => {
    const secret = loadAccountsSecret(dataDir, new SecretBox(before)).reveal();
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(loadAccountsSecret(dataDir, new SecretBox(before)).reveal()).toBe(secret);
    expect(file()).not.toContain(secret);
    expect(statSync(join(dataDir, 'accounts.key')).mode & 0o777).toBe(0o600);
  });

  it('outlives a rotation of the master key', () => {
    const secret = loadAccountsSecret(dataDir, new SecretBox(before)).reveal();
    expect(loadAccountsSecret(dataDir, new SecretBox(after, [before])).reveal()).toBe(secret);
    expect(loadAccountsSecret(dataDir, new SecretBox(after)).reveal()).toBe(secret);
  });

  it('is not replaced when it does not open: every second factor would be lost', () => {
    loadAccountsSecret(dataDir, new SecretBox(before));
    const kept = file();
    expect(() => loadAccountsSecret(dataDir, new SecretBox(after))).toThrow(MasterKeyError);
    expect(file()).toBe(kept);
  });
});
