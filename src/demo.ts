import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { type Api, openApi } from './cli/api.ts';
import { operatorSocket } from './cli/operator-socket.ts';
import { count, table } from './cli/terminal.ts';
import { readConfig } from './config/config.ts';
import type { Destination, Health } from './contract/destinations.ts';
import { dayOfEvents } from './demo-events.ts';
import { joinPeople, signInLink } from './demo-people.ts';
import { destinationKinds } from './destinations/registry.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { start } from './start.ts';
import { createLogger } from './telemetry/logger.ts';

/**
 * The demo: the whole service with SQLite in a folder of its own, stand-ins for the SIEMs, a day of events sent
 * through the public HTTP API, one SIEM switched off and on again, and at the end a count of what arrived where, taken
 * from the stand-ins' own books and compared id by id with the log's export.
 */
export interface DemoOptions {
  readonly once: boolean;
  readonly events: number;
  readonly json: boolean;
}

/** How long everything may take to arrive once all is sent and every SIEM answers again. */
const ARRIVE_WITHIN_MS = 60_000;
const TEAM = 'acme';
/** Sent over about this long, so that a person can watch. */
const SENDING_MS = 8_000;
const BATCHES = 80;
const OUTAGE = 'splunk';

interface Row {
  readonly siem: string;
  readonly received: number;
  readonly duplicates: number;
  readonly missing: number;
}

export async function runDemo(options: DemoOptions, stopped: Promise<void>): Promise<number> {
  const say = (text: string): void => void (options.json || process.stdout.write(`${text}\n`));
  const folder = await mkdtemp(join(tmpdir(), 'trailproof-demo-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let interrupted = false;
  void stopped.then(() => {
    interrupted = true;
  });

  try {
    const read = readConfig({
      PORT: '0',
      ...process.env,
      DATA_DIR: folder,
      DESTINATION_NETWORK: 'any',
      ALLOW_HTTP_DESTINATIONS: 'true',
      LOG_LEVEL: 'error',
      RATE_LIMIT_PER_MINUTE: '100000',
    });
    if (!read.ok) throw new Error(read.problems.map((p) => `${p.variable}: ${p.problem}`).join('\n'));
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 200 });
    closing.push(() => sandbox.close());
    const service = await start(read.config, createLogger({ level: 'error', thread: 'main' }), {
      serve: true,
      sandbox: sandbox.standIns,
    });
    closing.push(() => service.stop());
    say(
      `Console   ${service.url}   (a link that signs you in follows at the end; API description: ${service.url}/openapi.json)\n`,
    );

    const operator = openApi({ socketPath: operatorSocket(folder) });
    closing.push(() => operator.close());
    const key = await createTeamAndKey(operator);
    await joinPeople(operator, service.url!, TEAM);
    const api = openApi({ url: service.url!, key });
    closing.push(() => api.close());
    const destinations = await connectAll(api, sandbox, say);

    say(
      `\nSending ${count(options.events)} events of a day at Acme through POST /v1/events; ${OUTAGE} is switched off on the way.\n`,
    );
    const board = drawBoard(api, destinations, options);
    const accepted = await sendDay(api, sandbox, board, options.events, () => interrupted);
    await arriveEverywhere(board, accepted, () => interrupted);
    if (interrupted) return 130;

    const { rows, logged } = await compare(api, sandbox);
    const complete = rows.every((row) => row.missing === 0);
    if (options.json) process.stdout.write(`${JSON.stringify({ accepted, logged, siems: rows, complete })}\n`);
    say(
      `\nAccepted  ${count(accepted)} events sent here, and ${count(logged - accepted)} of the service's own: ${count(logged)} in the log\n\n${table(
        [
          ['SIEM', 'RECEIVED', 'DUPLICATES', 'MISSING'],
          ...rows.map((r) => [r.siem, r.received, r.duplicates, r.missing]),
        ],
      )}\n\n${complete ? 'Every event is at every SIEM.' : 'Some events have not arrived; see above.'}`,
    );
    if (options.once) return complete ? 0 : 1;
    await stayUp(api, operator, stopped, say);
    return 0;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function createTeamAndKey(operator: Api): Promise<string> {
  await operator.json('POST', '/v1/teams', { id: TEAM, name: 'Acme' });
  const { key } = await operator.json<{ key: string }>('POST', '/v1/api-keys', {
    team: TEAM,
    name: 'demo',
    scopes: ['events:write', 'events:read', 'destinations:read', 'destinations:write'],
  });
  return key;
}

async function connectAll(api: Api, sandbox: Sandbox, say: (text: string) => void): Promise<readonly Destination[]> {
  const made: Destination[] = [];
  for (const [kind, standIn] of sandbox.standIns) {
    const destination = await api.json<Destination>('POST', '/v1/destinations', {
      kind,
      name: destinationKinds.find((known) => known.kind === kind)!.title.replace(/ \(.*/, ''),
      settings: standIn.settings,
      startAt: 'beginning',
    });
    const test = await api.json<{ ok: boolean; steps: { name: string; ok: boolean; detail: string }[] }>(
      'POST',
      `/v1/destinations/${destination.id}/test`,
      {},
    );
    say(
      `${test.ok ? '✓' : '✕'} ${kind.padEnd(9)} ${test.steps.map((s) => `${s.name} ${s.ok ? 'ok' : s.detail}`).join(' · ')}`,
    );
    made.push(destination);
  }
  return made;
}

async function sendDay(
  api: Api,
  sandbox: Sandbox,
  board: Board,
  count: number,
  isInterrupted: () => boolean,
): Promise<number> {
  const events = dayOfEvents(count, Date.now());
  const size = Math.ceil(events.length / BATCHES);
  const outage = sandbox.standIns.get(OUTAGE)!;
  let accepted = 0;
  for (let i = 0; i < BATCHES && !isInterrupted(); i++) {
    if (i === BATCHES / 4) {
      outage.setFault({ kind: 'busy' });
      board.note(`${OUTAGE} is switched off: it answers "server is busy"; its events wait`);
    }
    if (i === (BATCHES * 3) / 4) {
      outage.setFault(null);
      board.note(`${OUTAGE} is back, and catches up`);
    }
    const batch = events.slice(i * size, (i + 1) * size);
    if (batch.length > 0) accepted += (await api.json<{ accepted: number }>('POST', '/v1/events', batch)).accepted;
    if (i % 4 === 3) await board.show(accepted);
    await wait(SENDING_MS / BATCHES);
  }
  outage.setFault(null);
  return accepted;
}

async function arriveEverywhere(board: Board, accepted: number, isInterrupted: () => boolean): Promise<void> {
  const until = Date.now() + ARRIVE_WITHIN_MS;
  while (Date.now() < until && !isInterrupted()) {
    const healths = await board.show(accepted);
    if (healths.every((h) => h.state === 'connected' && h.counts.pending === 0)) return;
    await wait(250);
  }
}

interface Board {
  /** Draws where each SIEM stands and returns it. */
  show(accepted: number): Promise<readonly Health[]>;
  note(text: string): void;
}

/** A line per SIEM, redrawn in place on a terminal; elsewhere (a log) only the notes, each with the figures of then. */
function drawBoard(api: Api, destinations: readonly Destination[], { json }: DemoOptions): Board {
  let drawn = 0;
  let said = '';
  let unsaid = false;
  return {
    note: (text) => {
      said = text;
      unsaid = true;
    },
    show: async (accepted) => {
      const healths = await Promise.all(
        destinations.map((d) => api.json<Health>('GET', `/v1/destinations/${d.id}/health`)),
      );
      if (json) return healths;
      if (process.stdout.isTTY) {
        const lines = destinations.map(({ kind }, i) => standing(kind, healths[i]!));
        const text = [`  ${count(accepted)} accepted${said ? ` · ${said}` : ''}`, '', ...lines];
        process.stdout.write(`${drawn ? `\x1b[${drawn}A` : ''}${text.map((line) => `\x1b[2K${line}\n`).join('')}`);
        drawn = text.length;
      } else if (unsaid) {
        const { state, counts } = healths[destinations.findIndex((d) => d.kind === OUTAGE)]!;
        const figures = `${count(accepted)} accepted; at ${OUTAGE} ${count(counts.delivered)} delivered, ${count(counts.pending)} waiting (${state})`;
        process.stdout.write(`${said}\n  ${figures}\n`);
        unsaid = false;
      }
      return healths;
    },
  };
}

function standing(kind: string, { state, counts }: Health): string {
  const share = counts.matched === 0 ? 1 : counts.delivered / counts.matched;
  const bar = '█'.repeat(Math.floor(share * 30)).padEnd(30, '░');
  return `  ${kind.padEnd(9)} ${bar} ${count(counts.delivered).padStart(7)} delivered ${count(counts.pending).padStart(6)} waiting  ${state}`;
}

/** Reads the log back through the API and looks for each id in each stand-in's own books. */
async function compare(api: Api, sandbox: Sandbox): Promise<{ rows: Row[]; logged: number }> {
  const ids: string[] = [];
  // The export is an audit event itself, so it also exports what no SIEM can have yet: only ids before it are compared.
  for await (const line of createInterface({ input: await api.stream('/v1/events/export?format=ndjson&order=asc') })) {
    const event = JSON.parse(line) as { id: string; eventType: string };
    if (event.eventType !== 'audit.exported') ids.push(event.id);
  }
  const rows = [...sandbox.standIns].map(([siem, standIn]) => {
    const at = standIn.ids();
    const found = ids.filter((id) => at.has(id));
    return {
      siem,
      received: found.length,
      duplicates: found.reduce((sum, id) => sum + at.get(id)! - 1, 0),
      missing: ids.length - found.length,
    };
  });
  return { rows, logged: ids.length };
}

/** Stays for a visitor: a quiet company goes on working, so that the console is alive and an outage has something to hold. */
async function stayUp(api: Api, operator: Api, stopped: Promise<void>, say: (text: string) => void): Promise<void> {
  say(
    `\nOpen the console, signed in as the Owner of Acme (the link works once):\n\n  ${await signInLink(operator)}\n\nThen: Sandbox → reject a SIEM’s credentials, and watch Settings → SIEM hold its events, say why, and catch up.\nAn event happens every few seconds. Press Ctrl-C to stop.`,
  );
  const ended = new AbortController();
  void stopped.then(() => ended.abort());
  while (!ended.signal.aborted) {
    await api.json('POST', '/v1/events', eventNow());
    await wait(EVENT_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {});
  }
  say('\nStopping: the service, the sandbox, and the demo’s folder go.');
}

const EVENT_EVERY_MS = 3_000;

/** The latest event of a day that ends now. */
function eventNow(): object {
  const [event] = dayOfEvents(1, Date.now(), Date.now());
  return event!;
}
