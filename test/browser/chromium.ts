import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/**
 * Not the package's own arguments: its `--single-process` lets the browser die with a second context, and its
 * `--disable-web-security` would hide what our Content-Security-Policy blocks.
 */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--force-color-profile=srgb',
];

/**
 * Path of a Chromium: CHROMIUM_PATH, one of the system's, or the one from npm, unpacked once into the temporary folder.
 * Nothing is downloaded.
 */
export function chromiumPath(): string {
  const own = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome-stable'];
  const found = own.find((path) => path && existsSync(path));
  if (found) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('Set CHROMIUM_PATH: the Chromium that comes with the packages runs on Linux on x64 only.');
  const chromium = unpacked();
  // Libraries that a slim image lacks come with the package.
  if (/not found/.test(execFileSync('ldd', [chromium], { encoding: 'utf8' })))
    process.env['LD_LIBRARY_PATH'] = join(dirname(chromium), 'lib');
  return chromium;
}

function unpacked(): string {
  const packed = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8')) as { version: string };
  const folder = join(tmpdir(), `trailproof-chromium-${version}`);
  const chromium = join(folder, 'chromium');
  if (existsSync(chromium)) return chromium;
  mkdirSync(folder, { recursive: true });
  const read = (name: string): Buffer => brotliDecompressSync(readFileSync(join(packed, 'bin', name)));
  writeFileSync(join(folder, 'lib.tar'), read('al2023.tar.br'));
  execFileSync('tar', ['xf', 'lib.tar'], { cwd: folder });
  // Renamed when complete: whoever finds it can run it.
  const part = `${chromium}.${process.pid}`;
  writeFileSync(part, read('chromium.br'), { mode: 0o755 });
  renameSync(part, chromium);
  return chromium;
}
