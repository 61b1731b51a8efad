/**
 * Fills the disk under a store and reports what happened, as JSON. Run by sqlite.test.ts on a small file system of its
 * own, mounted on the folder given as argument; the second is how much of it, in MiB, something else takes for a while.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NewEvent } from '../../event/logged-event.ts';
import { NOON, newEvent, readAll } from '../conformance-fixture.ts';
import type { Progress } from '../destinations.ts';
import { StoreUnavailable } from '../event-log.ts';
import { openSqliteStore } from './store.ts';

const [folder = '.', ballastMiB] = process.argv.slice(2);
const reserve = join(folder, 'reserve');
const ballast = join(folder, 'ballast');
let now = NOON;
const clock = { now: () => now };
const progress: Progress = {
  ...{ cursor: 0, settledAhead: [], scanned: 0, matched: 0, filtered: 0, delivered: 0, deadLettered: 0 },
  ...{ state: 'pending', since: NOON, cause: null, fix: null, held: false, refusedRun: [] },
  ...{ lastSuccessAt: null, lastError: null },
};

const report: Record<string, unknown> = {};
writeFileSync(ballast, randomBytes(Number(ballastMiB) * 1024 * 1024));
let store = openSqliteStore({ folder, clock, defaultRetentionDays: 365 });
const everything = { fromSequence: 1, categories: null, eventTypes: null, newCategories: true, knownCategories: [] };
const destination = { id: 'd1', team: 'a', kind: 'splunk', name: 'd1', settings: {}, sealed: {}, startAfter: 0 };
await store.destinations.create(
  { ...destination, filters: [everything], parallel: 1, lingerMs: 0, paused: null, createdAt: NOON, updatedAt: NOON },
  progress,
  [],
);
report['reserve at first'] = existsSync(reserve);

let accepted = 0;
let refusal: unknown;
const append = async (): Promise<unknown> => {
  const events = Array.from({ length: 16 }, (_, index) =>
    newEvent('a', `event-${accepted + index + 1}`, randomBytes(32 * 1024).toString('base64')),
  );
  try {
    await store.log.append(events);
    accepted += events.length;
    return undefined;
  } catch (error) {
    return error instanceof StoreUnavailable ? error.code : error;
  }
};
const settle = (cursor: number, audit: readonly NewEvent[] = []): Promise<void> =>
  store.destinations.settle({ destination: 'd1', progress: { ...progress, cursor }, audit });
let settled = 0;
while (refusal === undefined) [refusal] = await Promise.all([append(), settle(++settled)]);
report['settled together with what was refused'] = (await store.destinations.progress('d1'))?.cursor === settled;
report['refusal'] = refusal;
report['refusal again'] = await append();
report['check'] = await store.log.check().catch((error: StoreUnavailable) => error.code);

await settle(1_000_000, [newEvent('a', 'state changed')]);
for (let more = 1; more <= 20; more++) await settle(1_000_000 + more);
report['cursor while full'] = (await store.destinations.progress('d1'))?.cursor;
report['reserve while full'] = existsSync(reserve);
now += 1_000;
report['refusal a second later'] = await append();

rmSync(ballast);
report['refusal in the same second'] = await append();
now += 1_000;
report['refusal with room'] = await append();
report['reserve with room'] = existsSync(reserve);

await store.close();
store = openSqliteStore({ folder, clock, defaultRetentionDays: 365 });
const events = await readAll(store.log, 'a');
report['lost'] = accepted + 1 - events.length;
report['without holes'] = events.every((event, index) => event.sequence === index + 1);
report['each once'] = new Set(events.map((event) => event.id)).size === events.length;
await store.close();
console.log(JSON.stringify(report));
