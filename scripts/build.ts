import { rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { rolldown } from 'rolldown';

/** Bundles the service into dist/: one file per entry and thread, shared code and each stand-in in chunks of their own. */
const packages = /^(?!\.{0,2}\/|[A-Za-z]:)(?!node:)[a-z@]/;

await rm('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: 'src/main.ts', 'log-worker': 'src/log-worker.ts', 'index-worker': 'src/index-worker.ts' },
  platform: 'node',
  external: [packages, ...builtinModules],
});
await bundle.write({ dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' });
await bundle.close();
