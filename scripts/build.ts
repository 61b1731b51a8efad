import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { rolldown } from 'rolldown';
import { build, type Rolldown } from 'vite';
import { licencesOf } from './licences.ts';

/**
 * Bundles the service and the packages it uses into dist/: one file per entry and thread, shared code and what is seldom
 * needed in chunks of their own (docs/decisions/0012); and the console into dist/web, each text file beside a compressed
 * copy, so that the service compresses nothing. The packages' licences lie beside both.
 */
await rm('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: 'src/main.ts', 'log-worker': 'src/log-worker.ts', 'index-worker': 'src/index-worker.ts' },
  platform: 'node',
});
const service = await bundle.write({
  dir: 'dist',
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  // Each thread keeps the sources of what it loads: with one character that Latin-1 does not have, at twice the size.
  charset: 'ascii',
  comments: { legal: true, annotation: false, jsdoc: false },
});
await bundle.close();

const web = (await build({ configFile: 'web/vite.config.ts', logLevel: 'warn' })) as Rolldown.RolldownOutput;
const compress = promisify(gzip);
for (const name of await readdir('dist/web', { recursive: true }))
  if (/\.(js|css|svg)$/.test(name)) {
    const file = join('dist/web', name);
    await writeFile(`${file}.gz`, await compress(await readFile(file), { level: 9 }));
  }

const chunks = [...service.output, ...web.output].filter((file) => file.type === 'chunk');
const built = new Set(chunks.map(({ fileName }) => fileName));
for (const { fileName, imports, dynamicImports } of chunks)
  for (const name of [...imports, ...dynamicImports])
    if (!built.has(name) && !isBuiltin(name)) throw new Error(`${fileName} needs ${name}, which is not in the bundle`);
await writeFile('dist/THIRD-PARTY-LICENSES.txt', await licencesOf(chunks.flatMap(({ moduleIds }) => moduleIds)));
