import type { PlantedDefect, Scenario } from '../scenario.ts';
import { failingSync } from './failing-sync.ts';
import { full } from './full.ts';
import { keys } from './keys.ts';
import { servicePowerCut } from './service-power-cut.ts';
import { slowSync } from './slow-sync.ts';
import { storePowerCut } from './store-power-cut.ts';

export const scenarios: readonly Scenario[] = [servicePowerCut, storePowerCut, keys, failingSync, full, slowSync];

const COMMIT_QUEUE = 'src/store/sqlite/commit-queue.ts';

export const planted: readonly PlantedDefect[] = [
  {
    name: 'commits are not synced',
    file: 'src/store/sqlite/connection.ts',
    find: 'PRAGMA synchronous = FULL;',
    replace: 'PRAGMA synchronous = NORMAL;',
    caughtBy: 'disk/store-power-cut',
  },
  {
    name: 'accounts are not synced',
    file: 'src/auth/account-database.ts',
    find: 'PRAGMA synchronous = FULL;',
    replace: 'PRAGMA synchronous = OFF;',
    caughtBy: 'disk/power-cut',
  },
  {
    name: 'names of keys are not synced',
    file: 'src/config/kept-file.ts',
    find: 'fsyncSync(opened);',
    replace: '',
    caughtBy: 'disk/keys',
  },
  {
    name: 'a commit that failed is answered as done',
    file: COMMIT_QUEUE,
    find: "session.connection.exec('COMMIT');",
    replace: "try { session.connection.exec('COMMIT'); } catch { this.#discard(); }",
    caughtBy: 'disk/failing-sync',
  },
  {
    name: 'after a failed commit the counters are not read back',
    file: COMMIT_QUEUE,
    find: 'this.#discard();\n    const isFull',
    replace: "try { this.#session?.connection.exec('ROLLBACK'); } catch {}\n    const isFull",
    caughtBy: 'disk/failing-sync',
  },
  {
    name: 'the reserve is kept when the disk is full',
    file: COMMIT_QUEUE,
    find: 'isFull && this.#options.reserve.release()',
    replace: 'false',
    caughtBy: 'disk/full',
  },
  {
    name: 'any number of bodies may wait',
    file: 'src/ingest/accept.ts',
    find: 'bytesInFlight: 64 * 1024 * 1024 };',
    replace: 'bytesInFlight: Number.POSITIVE_INFINITY };',
    caughtBy: 'disk/slow-sync',
  },
  {
    name: 'whether the process lives depends on the disk',
    file: 'src/http/routes/operations.ts',
    find: "async () => ({ status: 'ok' as const }),",
    replace: "async () => { await log.check(); return { status: 'ok' as const }; },",
    caughtBy: 'disk/slow-sync',
  },
];
