import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { exportLog, producerEvent } from '../../rig/events.ts';
import type { Random } from '../random.ts';
import type { Scenario, Size } from '../scenario.ts';
import { type Site, underAttack } from './rig.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const LINES = 100_000;

/** Files that `events import` should not have been given: exit code and JSON say what became of each line. */
export const cliImport: Scenario = {
  name: 'input/cli-import',
  withinSeconds: 300,
  run: ({ size, random, say }) =>
    underAttack(async (site) => {
      let files = 0;
      for (const file of filesFor(random, size)) {
        await imported(site, file);
        files += 1;
      }
      if (size === 'full') await interrupted(site, random, say);
      return files;
    }, say),
};

interface Totals {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly examples: readonly { readonly line: number; readonly code: string }[];
}

interface HostileFile {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  /** Exit code, and what became of its lines the first time. */
  readonly code: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Of the lines rejected, from 1. */
  readonly lines?: readonly number[];
}

function filesFor(random: Random, size: Size): readonly HostileFile[] {
  const line = (n: number, prefix: string): string => JSON.stringify(producerEvent(n, prefix));
  const nameless = (n: number): string =>
    JSON.stringify({ ...producerEvent(n), id: undefined, timestamp: '2026-01-15T10:30:00Z' });
  const noise = Buffer.from(random.bytes(20_000).map((byte) => (byte === 10 ? 11 : byte)));
  const cases: HostileFile[] = [
    {
      name: 'half',
      bytes: `${line(0, 'half')}\nnot JSON\n\n{}\n${line(1, 'half')}`,
      code: 4,
      accepted: 2,
      rejected: 2,
      lines: [2, 4],
    },
    { name: 'mark', bytes: `\ufeff${nameless(0)}\r\n${nameless(0)}\r\n`, code: 0, accepted: 2, rejected: 0 },
    {
      name: 'blank',
      bytes: `${'\n'.repeat(5_000)}${line(0, 'blank')}\n${' \n'.repeat(5_000)}`,
      code: 0,
      accepted: 1,
      rejected: 0,
    },
    { name: 'binary', bytes: noise, code: 1, accepted: 0, rejected: 1, lines: [1] },
    { name: 'nothing', bytes: '', code: 0, accepted: 0, rejected: 0 },
    { name: 'newline', bytes: '\n', code: 0, accepted: 0, rejected: 0 },
    {
      ...{ name: 'long', code: 4, accepted: 2, rejected: 2, lines: [2, 3] },
      bytes: [
        line(0, 'long'),
        `{"id":"x","a":"${'x'.repeat(300 * 1024)}"}`,
        'y'.repeat(12_000_000),
        line(1, 'long'),
      ].join('\n'),
    },
    {
      ...{ name: 'conflict', code: 4, accepted: 1, rejected: 1, lines: [3] },
      bytes: [
        line(0, 'same'),
        line(0, 'same'),
        JSON.stringify({ ...producerEvent(0, 'same'), description: 'other' }),
      ].join('\n'),
    },
    {
      name: 'packed',
      bytes: gzipSync(`${line(0, 'packed')}\n`.repeat(100)),
      code: 1,
      accepted: 0,
      rejected: Number.NaN,
    },
    {
      name: 'array',
      bytes: `[${line(0, 'array')},${line(1, 'array')}]`,
      code: 1,
      accepted: 0,
      rejected: 1,
      lines: [1],
    },
    {
      name: 'bytes',
      bytes: Buffer.concat([Buffer.from(line(0, 'bytes').replace('Équipe', '\xff')), Buffer.from('\n')]),
      code: 0,
      accepted: 1,
      rejected: 0,
    },
    {
      name: 'deep',
      bytes: `${'['.repeat(100_000)}${']'.repeat(100_000)}\n${line(0, 'deep')}\n`,
      code: 4,
      accepted: 1,
      rejected: 1,
      lines: [1],
    },
  ];
  return size === 'full' ? cases : cases.slice(0, 3);
}

/** Imports the file twice: the second time adds nothing. */
async function imported(site: Site, file: HostileFile): Promise<void> {
  const path = join(site.folder, `${file.name}.ndjson`);
  await writeFile(path, file.bytes);
  const before = await countImported(site);
  const { code, totals } = await importFile(site, path).done;
  const said = JSON.stringify(totals);
  assert.equal(code, file.code, `${file.name}: ${said}`);
  assert.equal(totals.accepted, file.accepted, `${file.name}: ${said}`);
  if (!Number.isNaN(file.rejected)) assert.equal(totals.rejected, file.rejected, `${file.name}: ${said}`);
  if (file.lines)
    assert.deepEqual(
      totals.examples.map((example) => example.line),
      file.lines,
      said,
    );
  const after = await countImported(site);
  assert.equal(after, before + file.accepted, `${file.name} added ${after - before}`);
  const again = await importFile(site, path).done;
  assert.equal(again.totals.accepted, 0, `${file.name} again: ${JSON.stringify(again.totals)}`);
  assert.equal(again.code, file.code, `${file.name} again`);
}

/** Events of the team that were imported. Looking at them, and the key that does, are events too. */
async function countImported({ api }: Site): Promise<number> {
  const log = await exportLog(api);
  return log.filter(({ id, eventType }) => eventType !== 'audit.exported' && !id.startsWith('used-')).length;
}

/** A long import, killed in the middle, three times, and then let run: every line once. */
async function interrupted(site: Site, random: Random, say: (line: string) => void): Promise<void> {
  const path = join(site.folder, 'large.ndjson');
  const lines = Array.from({ length: LINES }, (_, i) => {
    site.kept.add(`large-${String(i).padStart(8, '0')}`);
    return JSON.stringify(producerEvent(i, 'large'));
  });
  await writeFile(path, lines.join('\n'));
  let kept = 0;
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
    const target = kept + random.between(1, LINES / 5);
    const { child, done } = importFile(site, path);
    const ended = done.catch(() => null);
    // Looked at from another connection, until it is well under way, or over.
    while (child.exitCode === null && child.signalCode === null) {
      kept = await lastSequence(site);
      if (kept >= target) break;
    }
    child.kill(signal);
    await ended;
  }
  const { code, totals } = await importFile(site, path).done;
  assert.equal(code, 0, JSON.stringify(totals));
  assert.equal(totals.accepted + totals.duplicates, LINES);
  say(
    `${LINES} lines imported in four runs, of which three were killed: ${totals.duplicates} were there when the last began`,
  );
}

async function lastSequence({ api }: Site): Promise<number> {
  const { lastSequence: last } = await api.json<{ lastSequence: number }>('GET', '/v1/events?limit=1');
  return last;
}

function importFile(
  { folder }: Site,
  path: string,
): { child: ChildProcess; done: Promise<{ code: number | null; totals: Totals }> } {
  const env = { PATH: process.env['PATH'] ?? '', DATA_DIR: folder };
  const args = [MAIN, 'events', 'import', path, '--team', 'hostile', '--json'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const finish = async () => {
    const [code] = (await once(child, 'close')) as [number | null];
    const totals = JSON.parse(out || '{}') as Totals;
    assert('accepted' in totals, `${path} was answered ${code}: ${out} ${err}`);
    return { code, totals };
  };
  return { child, done: finish() };
}
