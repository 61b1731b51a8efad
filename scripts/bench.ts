import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { arch, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type Goal, type Line, lines } from '../test/bench/lines.ts';
import type { Figures } from '../test/bench/service.ts';

const HELP = `npm run bench [-- name …] [options]

Builds the bundle, starts it as a user would, and measures it with its own producers and sinks on this machine (Linux).
Prints medians; a goal holds when most runs reach it.

  --runs N       runs of each line, in turns; default 3
  --scale X      a part of the events, to see whether a line works; default 1
  --out FILE     writes every run as JSON
  --list         only names the lines
  --json         prints the JSON instead of the table
  --no-build     measures the bundle that is there
  --profile DIR  writes CPU profiles of every thread
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    runs: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    build: { type: 'boolean', default: true },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const runs = Number(values.runs);
const scale = Number(values.scale);
const say = (text: string): void => void (values.json ? process.stderr : process.stdout).write(`${text}\n`);

interface Measured {
  readonly line: Line;
  readonly runs: Figures[];
}

// By way of `exit`, at which what was started is ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.help) process.stdout.write(HELP);
else if (values.list) for (const { name, what } of lines) say(`${name.padEnd(18)} ${what}`);
else process.exitCode = await main();

async function main(): Promise<number> {
  const unknown = positionals.filter((wanted) => !lines.some(({ name }) => name === wanted));
  if (unknown.length > 0 || !(runs >= 1) || !(scale > 0)) {
    process.stderr.write(
      unknown.length > 0
        ? `no line is called ${unknown.join(', ')}; --list names them\n`
        : '--runs is a whole number and --scale a number, both above 0\n',
    );
    return 2;
  }
  if (values.build) {
    const { status } = spawnSync(process.execPath, ['scripts/build.ts'], { stdio: ['ignore', 2, 2] });
    if (status !== 0) return 1;
  }
  if (values.profile) process.env['TRAILPROOF_BENCH_PROFILE'] = values.profile;
  const wanted = lines.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const measured: Measured[] = wanted.map((line) => ({ line, runs: [] }));
  // In turns: what the machine does besides meets every line alike.
  for (let run = 1; run <= runs; run++)
    for (const { line, runs: figures } of measured) {
      if (line.isOnce && run > 1) continue;
      figures.push(await line.run({ main: 'dist/main.js', scale }));
      say(`${line.name}, run ${run} of ${runs}: ${describe(figures.at(-1)!)}`);
    }
  if (scale !== 1) say(`\nat ${scale} of the size: the goals are for the whole`);
  say(`\n${table(measured)}`);
  const report = JSON.stringify(reportOf(measured), null, 2);
  if (values.out) writeFileSync(values.out, `${report}\n`);
  if (values.json) process.stdout.write(`${report}\n`);
  return measured.every(({ line, runs: all }) => line.goals.every((goal) => holds(goal, all))) ? 0 : 1;
}

function reportOf(measured: readonly Measured[]): object {
  const [cpu] = cpus();
  return {
    machine: { cpu: cpu?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), arch: arch() },
    node: process.version,
    scale,
    lines: measured.map(({ line: { name, what, goals }, runs: all }) => ({
      ...{ name, what, median: medians(all) },
      goals: goals.map((goal) => ({ ...goal, holds: holds(goal, all) })),
      runs: all,
    })),
  };
}

/** A goal holds when most of the runs reach it. */
function holds({ figure, is, must }: Goal, all: readonly Figures[]): boolean {
  const reached = all.filter((figures) => (is === 'least' ? figures[figure]! >= must : figures[figure]! <= must));
  return reached.length * 2 > all.length;
}

function medians(all: readonly Figures[]): Figures {
  const names = new Set(all.flatMap((figures) => Object.keys(figures)));
  return Object.fromEntries(
    [...names].map((name) => {
      const sorted = all.map((figures) => figures[name] ?? 0).sort((a, b) => a - b);
      return [name, sorted[Math.floor(sorted.length / 2)]!];
    }),
  );
}

function table(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ line, runs: all }) => {
    const median = medians(all);
    return line.goals.map((goal) => {
      const bound = goal.is === 'least' ? '≥' : '≤';
      const aim = goal.aim === undefined ? '' : number(goal.aim);
      return `| ${line.name} | ${goal.figure} | ${number(median[goal.figure]!)} | ${bound} ${number(goal.must)} | ${aim} | ${holds(goal, all) ? 'yes' : '**no**'} |`;
    });
  });
  return ['| line | figure | median | must | aim | holds |', '| --- | --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function describe(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${number(value)}`)
    .join(' · ');
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}
