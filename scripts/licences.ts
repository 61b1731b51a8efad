import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What of a package's manifest says under which terms it comes. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly repository?: string | { readonly url: string };
}

/**
 * The licences of the packages that bundled modules come from, each text once, under the packages it is of. Throws when
 * a package names no licence: then nobody knows whether it may be shipped.
 */
export async function licencesOf(modules: readonly string[]): Promise<string> {
  const packages = new Map<string, Set<string>>();
  for (const folder of new Set(modules.flatMap((module) => packageOf(module) ?? []))) {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
    const { name, version, license } = manifest;
    if (!license) throw new Error(`${name} ${version} names no licence`);
    const text = (await textOf(folder)) ?? withoutText(manifest);
    packages.set(text, (packages.get(text) ?? new Set()).add(`${name} ${version} (${license})`));
  }
  const parts = [...packages].map(([text, names]) => `${[...names].sort().join('\n')}\n\n${text}\n`);
  return parts.sort().join(`\n${'='.repeat(80)}\n\n`);
}

/** The folder of the innermost package that a module lies in; undefined for the service's own and the bundler's. */
function packageOf(module: string): string | undefined {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(module)?.[0];
}

async function textOf(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder)).filter((name) => /^(licen[cs]e|copying|copyright|notice)/i.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return names.length > 0 ? texts.map((text) => text.trim()).join('\n\n') : undefined;
}

function withoutText({ license, author, repository }: Manifest): string {
  const by = typeof author === 'object' ? author.name : author;
  const from = typeof repository === 'object' ? repository.url : repository;
  return `By ${by}, ${from}. The package comes under ${license} without its text.`;
}
