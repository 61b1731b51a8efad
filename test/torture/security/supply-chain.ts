import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Scenario } from '../scenario.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Packages that may run a program when they are installed: none. */
const MAY_RUN_SCRIPTS: readonly string[] = [];
const run = promisify(execFile);

/** What is installed is what was chosen: exact versions, each with the hash of its content, and none that runs by itself. */
export const supplyChain: Scenario = {
  name: 'security/supply-chain',
  inShort: true,
  async run({ size, say }) {
    const manifest = (await readJson('package.json')) as Manifest;
    const lock = (await readJson('package-lock.json')) as Lock;
    const groups = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides'] as const;
    const wanted = groups.flatMap((group) => Object.entries(manifest[group] ?? {}));
    for (const [name, version] of wanted) assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is not pinned`);
    const { '': root, ...installed } = lock.packages;
    assert.deepEqual(root?.dependencies, manifest.dependencies, 'package-lock.json is of another package.json');
    for (const [path, { integrity, hasInstallScript, resolved, link }] of Object.entries(installed)) {
      assert.ok(!link, `${path} is a link`);
      assert.match(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==/, `${path} has no hash of its content`);
      assert.ok(!hasInstallScript || MAY_RUN_SCRIPTS.includes(path), `${path} runs a script when it is installed`);
      assert.ok(resolved === undefined || resolved.startsWith('https://'), `${path} comes from ${resolved}`);
    }
    for (const [name, version] of Object.entries(manifest.overrides ?? {}))
      for (const [path, found] of Object.entries(installed))
        if (path.endsWith(`node_modules/${name}`)) assert.equal(found.version, version, path);
    if (size === 'full') await readBill(Object.keys(manifest.dependencies ?? {}));
    const packages = Object.keys(installed).length;
    say(`${packages} packages, ${wanted.length} of them chosen`);
    return { events: 0, faults: 0, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
  },
};

/** The bill of materials that is shipped with a release names every package that runs. */
async function readBill(dependencies: readonly string[]): Promise<void> {
  // Whole: with --omit dev, npm 11 also leaves out what the service and a tool of its tests share (nodemailer).
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  // npm stands beside node, or on the path.
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  const { stdout } = await run('npm', args, { cwd: ROOT, maxBuffer: 1 << 26, env: { ...process.env, PATH: path } });
  const bill = JSON.parse(stdout) as {
    bomFormat: string;
    components: readonly { purl: string; hashes?: readonly unknown[] }[];
  };
  assert.equal(bill.bomFormat, 'CycloneDX');
  for (const name of dependencies) {
    const purl = `pkg:npm/${name.replace('@', '%40')}@`;
    assert.ok(
      bill.components.some((component) => component.purl.startsWith(purl)),
      `${name} is not in the bill`,
    );
  }
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(ROOT, name), 'utf8'));
}
