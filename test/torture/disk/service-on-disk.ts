import assert from 'node:assert/strict';
import type { Api } from '../../../src/cli/api.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox.ts';
import { eventually } from '../../rig/events.ts';
import { type ServiceProcess, startService, teamApi } from '../../rig/service.ts';
import { judge } from '../judge.ts';
import type { Tally } from '../scenario.ts';
import { type FaultyDisk, openFaultyDisk } from './faulty-disk.ts';
import { idsOf, type Load } from './load.ts';
import { steadyMs } from './memory-disk.ts';

export const TEAM = 'acme';
/** One that every event's arrival can be counted at, and one that ignores what it has. */
const KINDS = ['splunk', 'elastic'] as const;
export type Kind = (typeof KINDS)[number];

const WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 20_000;

/** The real service on a disk that fails, with a team and two SIEMs. */
export interface ServiceOnDisk {
  readonly disk: FaultyDisk;
  readonly service: ServiceProcess;
  readonly sandbox: Sandbox;
  readonly api: Api & { readonly key: string };
  /** Destinations by kind, from the beginning of the log. */
  readonly destinations: ReadonlyMap<Kind, string>;
  /** When it said that it serves, and when the last of these answers had come; steady clock. */
  readonly servedAt: number;
  readonly madeAt: number;
  /** The first account; it can sign in from `madeAt` on. */
  readonly email: string;
  close(): Promise<void>;
}

export async function startOnDisk(seed: string, mib?: number): Promise<ServiceOnDisk> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
    closing.push(() => sandbox.close());
    const disk = await openFaultyDisk({ seed, ...(mib === undefined ? {} : { mib }) });
    closing.push(() => disk.close());
    const service = await startService(disk.folder, {}, undefined, disk.enter);
    closing.push(() => service.kill());
    const servedAt = steadyMs();
    const email = await setUp(service);
    const api = await teamApi(service, disk.outside, TEAM);
    closing.push(() => api.close());
    const destinations = new Map<Kind, string>();
    for (const kind of KINDS) {
      const { settings } = sandbox.standIns.get(kind)!;
      const body = { kind, name: kind, settings, startAt: 'beginning' };
      destinations.set(kind, (await api.json<{ id: string }>('POST', '/v1/destinations', body)).id);
    }
    return { disk, service, sandbox, api, destinations, servedAt, madeAt: steadyMs(), email, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function setUp(service: ServiceProcess): Promise<string> {
  const email = 'ana@acme.example';
  const answer = await fetch(`${service.url}/v1/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      token: new URL(service.setupUrl!).hash.slice(1),
      user: { name: 'Ana Lind', email, password: 'lively otter cabinet' },
      team: { id: 'people', name: 'People' },
    }),
  });
  assert.equal(answer.status, 201, await answer.text());
  return email;
}

/** What both SIEMs have in the end, once everything that was acknowledged and kept has arrived. */
export async function judgeAll(
  { api, sandbox, destinations }: ServiceOnDisk,
  load: Pick<Load, 'acknowledged'>,
): Promise<Omit<Tally, 'faults'>> {
  const [splunk, elastic] = await Promise.all(
    [...destinations].map(([kind, destination]) =>
      judge({ api, destination, standIn: sandbox.standIns.get(kind)!, acknowledged: idsOf(load.acknowledged) }),
    ),
  );
  return {
    ...splunk!,
    lost: splunk!.lost + elastic!.lost,
    deadLettered: splunk!.deadLettered + elastic!.deadLettered,
    countersExact: splunk!.countersExact === true && elastic!.countersExact === true,
  };
}

/** Waits until so many events are acknowledged. */
export async function reached(load: Load, events: number): Promise<void> {
  await untilUnderLoad(load, () =>
    assert.ok(load.count() >= events, `${load.count()} of ${events} events are acknowledged`),
  );
}

/** Waits for something while producers send; throws at once when one of them gets an answer that must not be. */
export async function untilUnderLoad(load: Load, check: () => Promise<void> | void): Promise<void> {
  await eventually(() => (load.failure() ? undefined : check()), WITHIN_MS, 5);
  const cause = load.failure();
  if (cause) throw new Error(`a producer: ${String(cause)}`, { cause });
}

/** What the service answers without a key. */
export async function ask(
  url: string,
  path: string,
): Promise<{ status: number; code: string | undefined; ms: number }> {
  const asked = performance.now();
  const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  const { code } = (await answer.json()) as { code?: string };
  return { status: answer.status, code, ms: performance.now() - asked };
}
