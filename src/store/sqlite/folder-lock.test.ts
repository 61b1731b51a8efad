import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { FolderLocked, lockFolder } from './folder-lock.ts';

describe('the folder lock', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trailproof-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is held by one at a time', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(FolderLocked);
    lock.release();
    lockFolder(folder).release();
  });

  it('outlives the caller that forgot it, names the process that holds it, and falls with that', async () => {
    const module = new URL('./folder-lock.ts', import.meta.url).href;
    const script = `import { lockFolder } from '${module}'; lockFolder(process.argv[1]); gc(); console.log('locked'); setInterval(() => {}, 1e6);`;
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    expect(() => lockFolder(folder)).toThrow(`process ${holder.pid}`);
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    lockFolder(folder).release();
  });

  it('does not call a folder locked that is missing', () => {
    expect(() => lockFolder(join(folder, 'missing'))).toThrow(/unable to open/);
  });
});
