import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../rig/events.ts';
import { temporaryFolder } from '../rig/service.ts';
import { createBodies } from './load.ts';
import { type Build, costOf, type Figures } from './service.ts';
import { startSink } from './sink.ts';
import { ONE_TEAM, throughput } from './throughput.ts';

/**
 * A forwarder of Debian's that takes lines over TCP and keeps them on disk until they are sent. None syncs before it
 * takes the next line, and none answers: what is in its socket when the power fails is lost. Debian's syslog-ng cannot
 * compress what it sends over HTTP, and rsyslog has no HTTP at all: both are spared that cost.
 */
interface Rival {
  readonly name: string;
  readonly program: string;
  /** It sends lines over TCP, as it has no HTTP. */
  readonly isPlain: boolean;
  readonly config: (where: { folder: string; port: number; sink: URL; version: string }) => string;
  readonly args: (folder: string, config: string) => string[];
}

const EVENTS = 500_000;
const CONNECTIONS = 16;
const BATCH = 100;
/** After so long without anything new, everything has arrived. */
const QUIET_MS = 1_000;
const STARTS_WITHIN_MS = 10_000;

const RIVALS: readonly Rival[] = [
  {
    name: 'syslog-ng',
    program: 'syslog-ng',
    isPlain: false,
    config: ({ folder, port, sink, version }) => `@version: ${version}
options { stats_freq(0); keep_hostname(yes); use_dns(no); log_msg_size(65536); };
source s { network(ip("127.0.0.1") port(${port}) transport("tcp") flags(no-parse) max-connections(64)
  log-iw-size(64000) log-fetch-limit(1000)); };
destination d { http(url("${sink.href}services/collector/event") method("POST") headers("Authorization: Splunk none")
  body("{\\"event\\":$MSG}") delimiter("\\n") batch-lines(1000) batch-bytes(1000000) batch-timeout(500) workers(2)
  disk-buffer(reliable(yes) disk-buf-size(2147483648) mem-buf-size(67108864) dir("${folder}"))); };
log { source(s); destination(d); flags(flow-control); };
`,
    args: (folder, config) => [
      ...['-F', '--no-caps', '-f', config, '-R', join(folder, 'persist')],
      ...['-p', join(folder, 'pid'), '-c', join(folder, 'ctl')],
    ],
  },
  {
    name: 'rsyslog',
    program: 'rsyslogd',
    isPlain: true,
    config: ({ folder, port, sink }) => `global(workDirectory="${folder}" maxMessageSize="64k")
module(load="imtcp" maxSessions="64")
template(name="raw" type="string" string="%rawmsg%\n")
ruleset(name="out" queue.type="Disk" queue.filename="queue" queue.maxDiskSpace="2g" queue.checkpointInterval="1000"
  queue.dequeueBatchSize="1000") {
  action(type="omfwd" target="${sink.hostname}" port="${sink.port}" protocol="tcp" template="raw"
    action.resumeRetryCount="-1")
}
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="out")
`,
    args: (folder, config) => ['-n', '-f', config, '-i', join(folder, 'pid')],
  },
];

/**
 * The same events through what is installed of them and through Trailproof, one after the other. Its index is held: they
 * have no search. Empty when none is installed.
 */
export async function rivals(build: Build): Promise<Figures> {
  const events = EVENTS * build.scale;
  const figures: Record<string, number> = {};
  for (const rival of RIVALS) {
    const version = versionOf(rival);
    if (version === undefined) continue;
    const { rate, cpu } = await measure(rival, version, events);
    const ours = await throughput(build, { teams: ONE_TEAM, format: 'ndjson', events: EVENTS, holdIndex: true });
    Object.assign(figures, {
      [`${rival.name} events/s`]: rate,
      [`${rival.name} CPU s/M`]: cpu,
      [`beside ${rival.name}: ours events/s`]: ours['events/s'],
      [`beside ${rival.name}: ours CPU s/M`]: ours['CPU s/M'],
      [`rate, ours to ${rival.name}`]: ours['events/s']! / rate,
      [`CPU, ours to ${rival.name}`]: ours['CPU s/M']! / cpu,
    });
  }
  return figures;
}

/** Its version as `major.minor`; undefined when it is not installed. */
function versionOf({ program }: Rival): string | undefined {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error ? undefined : (/\d+\.\d+/.exec(stdout)?.[0] ?? '');
}

async function measure(rival: Rival, version: string, events: number): Promise<{ rate: number; cpu: number }> {
  const folder = await temporaryFolder();
  const sink = await startSink({ isPlain: rival.isPlain });
  const port = await freePort();
  const config = join(folder.path, 'rival.conf');
  const where = { folder: folder.path, port, sink: new URL(sink.url), version };
  await writeFile(config, rival.config(where));
  const child = spawn(rival.program, rival.args(folder.path, config), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = `${said}${data}`.slice(-2_000);
  });
  try {
    await eventually(async () => {
      assert.equal(child.exitCode, null, `${rival.program} ended: ${said}`);
      (await open(port)).destroy();
    }, STARTS_WITHIN_MS);
    const all = async (count: number): Promise<number> => {
      const sent = await send(port, count);
      await quiet(sink.lastArrival);
      const { events: taken } = await sink.take();
      assert.ok(taken >= sent, `${rival.name} brought ${taken} of ${sent} events: ${said}`);
      return sent;
    };
    await all(events / 4);
    const started = Date.now();
    let sent = 0;
    const cost = await costOf(child.pid!, async () => {
      sent = await all(events);
    });
    return { rate: (sent * 1000) / ((await sink.lastArrival()) - started), cpu: (cost.cpu / sent) * 1e6 };
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await sink.close();
    await folder.remove();
  }
}

/** Sends lines as fast as they are taken; returns how many. */
async function send(port: number, events: number): Promise<number> {
  const bodies = createBodies({ teams: ONE_TEAM, format: 'ndjson', batch: BATCH, ids: 'v7' });
  let left = Math.ceil(events / BATCH);
  const total = left * BATCH;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = await open(port);
      while (left-- > 0) {
        socket.write(bodies.next().body);
        if (!socket.write('\n')) await once(socket, 'drain');
      }
      socket.end();
      await once(socket, 'close');
    }),
  );
  return total;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket.resume();
}

async function quiet(lastArrival: () => Promise<number>): Promise<void> {
  const began = Date.now();
  while (Date.now() - Math.max(began, await lastArrival()) < QUIET_MS) await wait(QUIET_MS / 4);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? address!.port : 0;
}
