import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from './clock.ts';
import { openSearch } from './search/index.ts';
import { sendable } from './store/log-port.ts';
import { openSqliteLogReader } from './store/sqlite/store.ts';
import type { Growth } from './store/store.ts';
import { createLogger } from './telemetry/logger.ts';
import { expose, note, onNote } from './worker-port.ts';

/**
 * Composition root of the index worker: reads the log on a connection of its own, keeps the search index and answers
 * queries, so that neither ingest nor delivery waits for a search or an export.
 */
export interface IndexWorkerData {
  readonly folder: string;
  readonly logLevel: string;
}

const data = workerData as IndexWorkerData;
const port = parentPort!;
const logger = createLogger({ level: data.logLevel, thread: 'index' });
await new Promise<void>((resolve) => onNote(port, 'open', () => resolve()));
const log = openSqliteLogReader({ folder: data.folder });
const search = openSearch({ folder: data.folder, log, clock: systemClock, logger });

onNote<readonly Growth[]>(port, 'appended', (grown) => {
  for (const { team, last } of grown) search.wake(team, last);
});
search.start();

expose(port, {
  log: sendable(log),
  search,
  worker: {
    stop: async (): Promise<void> => {
      await search.close();
      log.close();
    },
  },
});
note(port, 'ready', null);
