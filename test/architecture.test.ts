import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which folder may import which (style.md); `clock`, `secrets`, `telemetry` are open to all. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  event: [],
  outbound: [],
  telemetry: [],
  formats: ['event'],
  contract: ['event'],
  config: ['contract'],
  store: ['event', 'contract'],
  destinations: ['event', 'formats', 'outbound'],
  ingest: ['event', 'store'],
  retention: ['event', 'store'],
  search: ['event', 'store'],
  delivery: ['event', 'store', 'destinations'],
  auth: ['store', 'outbound', 'contract', 'event'],
  alerting: ['store', 'outbound', 'contract', 'event', 'delivery'],
  http: [
    'event',
    'formats',
    'contract',
    'store',
    'destinations',
    'ingest',
    'retention',
    'search',
    'delivery',
    'auth',
    'alerting',
    'config',
    'outbound',
  ],
  cli: [
    'event',
    'formats',
    'contract',
    'store',
    'destinations',
    'ingest',
    'search',
    'delivery',
    'auth',
    'config',
    'http',
    'outbound',
  ],
};
/** Files directly in src/ that anyone may import. */
const OPEN = ['clock.ts', 'give-back.ts', 'secrets.ts'];
/** Plain data of the contract; the rest would bring the schema library into the browser. */
const IN_THE_BROWSER = ['contract/roles.ts', 'contract/scopes.ts'];
/** Only these name a backend or the registry. */
const ROOTS = [
  'start.ts',
  'log-worker.ts',
  'index-worker.ts',
  'main.ts',
  'command.ts',
  'sandbox.ts',
  'demo.ts',
  'demo-people.ts',
  'worker-port.ts',
];

const src = resolve(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

function imports(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((m) =>
    relative(src, resolve(src, dirname(file), m[1]!))
      .split(sep)
      .join('/'),
  );
}

describe('the import rule', () => {
  it('holds for every file', () => {
    const broken: string[] = [];
    for (const file of files) {
      if (ROOTS.includes(file) || OPEN.includes(file)) continue;
      const from = file.split(sep)[0]!;
      const isTest = file.endsWith('.test.ts') || file.endsWith('conformance.ts');
      for (const target of imports(file)) {
        const to = target.split('/')[0]!;
        if (to === from || to === 'telemetry' || OPEN.includes(target)) continue;
        if (isTest && target.startsWith('../test/')) continue;
        if (!(MAY_IMPORT[from] ?? []).includes(to)) broken.push(`${file} imports ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('lets only composition roots name a backend, and only the registry name a SIEM', () => {
    const broken: string[] = [];
    for (const file of files) {
      if (ROOTS.includes(file)) continue;
      for (const target of imports(file)) {
        const backend = target.match(/^store\/(sqlite|postgres)\//);
        if (backend && !file.startsWith(`store/${backend[1]}/`) && !file.endsWith('.test.ts'))
          broken.push(`${file} names a backend: ${target}`);
        const kind = target.match(/^destinations\/([a-z0-9-]+)\//)?.[1];
        if (kind && !file.startsWith(`destinations/${kind}/`) && file !== 'destinations/registry.ts')
          broken.push(`${file} names a SIEM: ${target}`);
        if (target === 'destinations/registry.ts' && !file.endsWith('.test.ts'))
          broken.push(`${file} names the registry`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('lets the console see only the contract: its types, and the data a browser may hold', () => {
    const web = resolve(src, '../web');
    const broken: string[] = [];
    for (const file of readdirSync(web, { recursive: true, encoding: 'utf8' }).filter((f) => /\.tsx?$/.test(f))) {
      const text = readFileSync(join(web, file), 'utf8');
      for (const [, only, target] of text.matchAll(/import (type )?[^;]*? from '(?:\.\.\/)+src\/([^']+)'/g))
        if (!target!.startsWith('contract/') || (!only && !IN_THE_BROWSER.includes(target!)))
          broken.push(`${file} imports ${target}`);
    }
    expect(broken).toEqual([]);
  });

  it('has no cycles', () => {
    const graph = new Map(files.map((f) => [f.split(sep).join('/'), imports(f)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
