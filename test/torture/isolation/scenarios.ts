import type { PlantedDefect, Scenario } from '../scenario.ts';
import { badNeighbours } from './bad-neighbours.ts';
import { fairDelivery } from './fair-delivery.ts';
import { fairIngest } from './fair-ingest.ts';

export const scenarios: readonly Scenario[] = [badNeighbours, fairIngest, fairDelivery];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'failing destinations are tried again at once',
    file: 'src/delivery/verdict.ts',
    find: 'now + Math.max(SHORTEST_BACKOFF_MS, backoff, askedToWait(outcome))',
    replace: 'now + 1 + 0 * backoff',
    caughtBy: 'isolation/bad-neighbours',
  },
  {
    name: 'all lanes send in one line',
    file: 'src/delivery/lane-loop.ts',
    find: '    this.#session.track(this.#caught(send), (outcome) => {\n',
    replace:
      "    const line = (globalThis['line'] ?? Promise.resolve()).then(() => this.#caught(send));\n" +
      "    globalThis['line'] = line;\n    this.#session.track(line, (outcome) => {\n",
    caughtBy: 'isolation/bad-neighbours',
  },
  {
    name: 'a body is judged in one go',
    file: 'src/ingest/accept.ts',
    find: 'const EVENTS_PER_TURN = 100;',
    replace: 'const EVENTS_PER_TURN = 1_000_000;',
    caughtBy: 'isolation/fair-ingest',
  },
  {
    name: 'a batch is cut from all that waits, and all of it is read for each',
    file: 'src/delivery/load.ts',
    find: 'const events = await log.read(team, after, { events: batchEvents, bytes: batchBytes });',
    replace:
      'const events = (await log.read(team, after, { events: Infinity, bytes: Infinity })).slice(0, batchEvents);',
    caughtBy: 'isolation/fair-delivery',
  },
];
