import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepFile, keepNewFile } from './kept-file.ts';

// What is left of them when the power fails: npm run torture -- disk/keys.
describe('a kept file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trailproof-kept-'));
    file = join(folder, 'key');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is readable for its owner alone and leaves nothing beside it', () => {
    keepNewFile(file, 'first');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    keepFile(file, 'second');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe('second');
    expect(readdirSync(folder)).toEqual(['key']);
  });

  it('is not written over when it is to be new', () => {
    writeFileSync(file, 'of another process');
    expect(() => keepNewFile(file, 'ours')).toThrow('EEXIST');
    expect(readFileSync(file, 'utf8')).toBe('of another process');
    expect(readdirSync(folder)).toEqual(['key']);
  });
});
