import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createImporter } from '../ingest/import-ids.ts';
import { type Api, openApi } from './api.ts';
import { type Cli, EXIT } from './cli.ts';
import { count, progress } from './terminal.ts';

/** One request of an import: under the API's 10 MiB and 10,000 events, small enough for a smooth progress bar. */
const BATCH_LINES = 2000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** How many rejected lines are kept for the report; all are counted. */
const REPORTED = 20;

interface Totals {
  accepted: number;
  duplicates: number;
  rejected: number;
  readonly examples: { line: number; code: string; path: string; message: string }[];
}

export function addEvents(program: Command, cli: Cli): void {
  const events = program.command('events').description('events: bring them in from a file, take them out into one');
  events
    .command('import')
    .description('import NDJSON in either form; importing again adds nothing')
    .argument('<file>', 'a file, or - for standard input')
    .option('--team <id>', 'team of lines that name none; lines naming another are rejected')
    .option(
      '--url <url>',
      'import into the service at this URL with the key in TRAILPROOF_KEY, instead of the one of this data folder',
      httpUrl,
    )
    .action(async (file: string, o: { team?: string; url?: string }) => {
      const work = (api: Api): Promise<Totals> => importFile(api, file, o.team, cli);
      const totals = o.url === undefined ? await cli.operator(work) : await remote(o.url, cli, work);
      cli.print(totals, () =>
        [
          `${count(totals.accepted)} accepted, ${count(totals.duplicates)} duplicates, ${count(totals.rejected)} rejected`,
          ...totals.examples.map((e) => `  line ${e.line}: ${e.code} ${e.path} ${e.message}`),
          ...(totals.rejected > totals.examples.length
            ? [`  … and ${count(totals.rejected - totals.examples.length)} more`]
            : []),
        ].join('\n'),
      );
      if (totals.rejected > 0) cli.exit(totals.accepted + totals.duplicates > 0 ? EXIT.partly : EXIT.failed);
    });
  events
    .command('export')
    .description("write a team's events to standard output, oldest first")
    .requiredOption('--team <id>', 'the team')
    .addOption(new Option('--format <format>', 'output format').choices(['ndjson', 'csv']).default('ndjson'))
    .option('--from <time>', 'events at or after this time (ISO 8601)')
    .option('--to <time>', 'events before this time (ISO 8601)')
    .option('--category <category...>', 'only these categories')
    .option('--event-type <type...>', 'only these event types')
    .option('--status <status>', 'only success or failure')
    .option('--q <text>', 'part of e-mail, name, description, type or IP')
    .action(async (o: Record<string, string | string[]>) => {
      const names: Record<string, string> = { eventType: 'eventType' };
      const query = new URLSearchParams({ order: 'asc' });
      for (const [name, value] of Object.entries(o))
        if (name !== 'json') for (const v of [value].flat()) query.append(names[name] ?? name, v);
      await cli.operator(async (api) =>
        pipeline(await api.stream(`/v1/events/export?${query}`), cli.terminal.out, { end: false }),
      );
    });
}

function httpUrl(text: string): string {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new InvalidArgumentError('It is not an http(s) address.');
  return text;
}

async function remote<T>(url: string, cli: Cli, work: (api: Api) => Promise<T>): Promise<T> {
  const key = cli.env['TRAILPROOF_KEY'];
  if (!key) throw new Error('--url needs an API key with the scope events:write in TRAILPROOF_KEY');
  const api = openApi({ url, key });
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

async function importFile(api: Api, file: string, team: string | undefined, cli: Cli): Promise<Totals> {
  const totals: Totals = { accepted: 0, duplicates: 0, rejected: 0, examples: [] };
  const info = file === '-' ? null : await stat(file);
  if (info?.isDirectory()) throw new Error(`${file} is a folder. Name a file with one event a line (NDJSON).`);
  const size = info?.size ?? null;
  const bar = progress(cli.terminal);
  const importer = createImporter(team);
  let read = 0;
  let line = 0;
  let batch: { readonly text: string; readonly line: number }[] = [];
  let bytes = 0;

  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const result = await send(api, team, Buffer.from(batch.map(({ text }) => text).join('\n')));
    totals.accepted += result.accepted;
    totals.duplicates += result.duplicates;
    totals.rejected += result.rejected.length;
    for (const r of result.rejected)
      if (totals.examples.length < REPORTED)
        totals.examples.push({ line: batch[r.index]!.line, code: r.code, path: r.path, message: r.message });
    batch = [];
    bytes = 0;
    bar.show(
      read,
      size,
      `${count(totals.accepted)} accepted, ${count(totals.duplicates)} duplicates, ${count(totals.rejected)} rejected`,
    );
  };

  try {
    for await (const text of lines(file === '-' ? process.stdin : createReadStream(file), (n) => (read += n))) {
      line += 1;
      // A request of blank lines alone would be refused.
      if (text.trim() === '') continue;
      const length = Buffer.byteLength(text) + 1;
      if (bytes + length > BATCH_BYTES || batch.length === BATCH_LINES) await flush();
      batch.push({ text: importer(text), line });
      bytes += length;
    }
    await flush();
  } finally {
    bar.end();
  }
  return totals;
}

/** Lines without their ends. A line past the API's body limit is cut: it is rejected for its size all the same. */
async function* lines(stream: AsyncIterable<Buffer | string>, onRead: (bytes: number) => void): AsyncGenerator<string> {
  let isFirst = true;
  for await (const line of rawLines(stream, onRead)) {
    // A byte order mark is of the file, not of its first event.
    yield isFirst ? line.replace(/^\ufeff/, '') : line;
    isFirst = false;
  }
}

async function* rawLines(
  stream: AsyncIterable<Buffer | string>,
  onRead: (bytes: number) => void,
): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const piece of stream) {
    const chunk = Buffer.from(piece);
    onRead(chunk.length);
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = all.indexOf(10); end !== -1; end = all.indexOf(10, start)) {
      yield all.toString('utf8', start, all[end - 1] === 13 ? end - 1 : end);
      start = end + 1;
    }
    rest = all.subarray(start, start + 2 * BATCH_BYTES);
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

interface Result {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { index: number; code: string; path: string; message: string }[];
}

/** Posts one batch; waits as asked while the service is full or limits the rate. */
async function send(api: Api, team: string | undefined, body: Buffer): Promise<Result> {
  const path = team === undefined ? '/v1/events' : `/v1/events?team=${encodeURIComponent(team)}`;
  for (;;) {
    const answer = await api.post(path, 'application/x-ndjson', body);
    if (answer.status === 200 || answer.status === 422) return answer.json as Result;
    const problem = answer.json as { detail?: string; title?: string } | null;
    if (answer.status !== 429 && answer.status !== 503)
      throw new Error(`The service answered ${answer.status}: ${problem?.detail ?? problem?.title ?? ''}`);
    await wait(answer.retryAfterMs);
  }
}
