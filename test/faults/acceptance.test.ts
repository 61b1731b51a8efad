import { describe, it } from 'vitest';
import { backlog } from '../acceptance/backlog.ts';
import { idle } from '../acceptance/idle.ts';
import { outages } from '../acceptance/outages.ts';

/** The short form of `npm run acceptance`: the same checks on less. */
describe('the service as a whole', () => {
  it('brings every event to every SIEM, or into its dead letters, through outages of four of five', async () => {
    await outages({ events: 8_000, outageMs: 4_000 }, console.log);
  });
  it('keeps its memory bounded while a backlog is built up and drained', async () => {
    // Built: from source, taking the types away costs 60 MiB of its own.
    await backlog({ events: 60_000, limitMiB: 320, main: 'dist/main.js' }, console.log);
  });
  it('delivers a single event at once and does nothing when nothing happens', async () => {
    await idle({ events: 60, idleMs: 3_000 }, console.log);
  });
});
