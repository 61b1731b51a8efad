import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { NewEvent } from '../../../src/event/logged-event.ts';
import type { Progress } from '../../../src/store/destinations.ts';
import { StoreUnavailable } from '../../../src/store/event-log.ts';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import { createRandom } from '../random.ts';
import { steadyMs } from './memory-disk.ts';

/**
 * The store alone under load, as a process on the disk: once a line of input says so, several callers append events,
 * single and in batches, and one settles a destination. Says of each append when it was acknowledged, one line of JSON
 * each: `{at, ids}`.
 */
const [folder = '', seed = '', appends = ''] = process.argv.slice(2);
const CALLERS = 4;
const MOST_TRIES = 1_000;
const AGAIN_AFTER_MS = 10;
const random = createRandom(seed);
const store = openSqliteStore({ folder, clock: Date, defaultRetentionDays: 365 });

await store.destinations.create(
  {
    ...{ id: 'd1', team: 'acme', kind: 'splunk', name: 'd1', settings: {}, sealed: {}, startAfter: 0 },
    ...{ filters: [], parallel: 1, lingerMs: 0, paused: null, createdAt: 0, updatedAt: 0 },
  },
  progressAt(0),
  [],
);
say({ ready: true });
await once(process.stdin, 'data');
await Promise.all([...Array.from({ length: CALLERS }, (_, caller) => append(caller)), settle()]);
await store.close();
process.stdin.destroy();

async function append(caller: number): Promise<void> {
  for (let n = 0; n < Number(appends) / CALLERS; n++) {
    const count = random.pick([1, 1, 1, 7, 40, 300]);
    const events = Array.from({ length: count }, (_, i) =>
      newEvent(`${random.between(0, 2 ** 30)}-${caller}-${n}-${i}`),
    );
    for (let tries = 0; ; tries++) {
      try {
        await store.log.append(events);
        say({ at: steadyMs(), ids: events.map(({ id }) => id) });
        break;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || tries === MOST_TRIES) throw error;
        await setTimeout(AGAIN_AFTER_MS);
      }
    }
  }
}

async function settle(): Promise<void> {
  for (let n = 0; n < Number(appends) / 8; n++) {
    const { last } = await store.log.bounds('acme');
    await store.destinations.settle({ destination: 'd1', progress: progressAt(last) }).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
    });
  }
}

function newEvent(id: string): NewEvent {
  const timestamp = new Date(0).toISOString();
  const filling = random.bytes(random.between(20, 400)).toString('hex');
  const event = { timestamp, id, eventType: 'auth.logout', eventCategory: 'authentication', description: filling };
  const json = JSON.stringify(event);
  return { team: 'acme', id, eventType: 'auth.logout', eventCategory: 'authentication', timestamp: 0, hash: id, json };
}

function progressAt(last: number): Progress {
  return {
    ...{ cursor: last, settledAhead: [], scanned: last, matched: last, filtered: 0, delivered: last, deadLettered: 0 },
    ...{ state: 'connected', since: 0, cause: null, fix: null, held: false, refusedRun: [] },
    ...{ lastSuccessAt: null, lastError: null },
  };
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
