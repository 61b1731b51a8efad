import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { rolldown } from 'rolldown';
import { build } from 'vite';

/**
 * Bundles the service into dist/: one file per entry and thread, shared code and each stand-in in chunks of their own;
 * and the console into dist/web, each text file beside a compressed copy, so that the service compresses nothing.
 */
const packages = /^(?!\.{0,2}\/|[A-Za-z]:)(?!node:)[a-z@]/;

await rm('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: 'src/main.ts', 'log-worker': 'src/log-worker.ts', 'index-worker': 'src/index-worker.ts' },
  platform: 'node',
  external: [packages, ...builtinModules],
});
await bundle.write({ dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' });
await bundle.close();

await build({ configFile: 'web/vite.config.ts', logLevel: 'warn' });
const compress = promisify(gzip);
for (const name of await readdir('dist/web', { recursive: true }))
  if (/\.(js|css|svg)$/.test(name)) {
    const file = join('dist/web', name);
    await writeFile(`${file}.gz`, await compress(await readFile(file), { level: 9 }));
  }
