#!/usr/bin/env node
// Trailproof needs Node 24. Run by an older one, this finds the Node that npm installed beside it and starts that instead.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
if (Number(process.versions.node.split('.')[0]) >= 24) {
  const built = join(here, '../dist/main.js');
  await import(existsSync(built) ? built : '../src/main.ts');
} else {
  const node = installedNode();
  if (!node) {
    console.error(
      `Trailproof needs Node 24 or newer; this is ${process.version}. Install Node 24, or run it through npm: npm start`,
    );
    process.exit(1);
  }
  const { status, signal } = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(signal ? 1 : (status ?? 1));
}

function installedNode() {
  try {
    return createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return undefined;
  }
}
