import type { PlantedDefect, Scenario } from '../scenario.ts';
import { fastClock } from './fast-clock.ts';
import { tenMinutes } from './ten-minutes.ts';

export const scenarios: readonly Scenario[] = [tenMinutes, fastClock];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'a timer stays behind every wait that something else ends',
    file: 'src/delivery/bell.ts',
    find: '        nap.abort(AWAKE);\n',
    replace: '',
    caughtBy: 'soak/fast-clock',
  },
  {
    name: 'a session keeps what is over',
    file: 'src/delivery/session.ts',
    find: '        this.#work.delete(tracked);\n',
    replace: '',
    caughtBy: 'soak/fast-clock',
  },
  {
    name: 'statements are prepared anew each time',
    file: 'src/store/sqlite/connection.ts',
    find: '      this.#statements.set(sql, statement);\n',
    replace: '',
    caughtBy: 'soak/fast-clock',
  },
  {
    name: 'dead letters that go again are counted twice',
    file: 'src/delivery/verdict.ts',
    find: 'const deadLettered = progress.deadLettered - ids.length;',
    replace: 'const deadLettered = progress.deadLettered;',
    caughtBy: 'soak/fast-clock',
  },
  {
    // Seen after 72 MiB of bodies: in the full size soon, in the short one only where the rate is high.
    name: 'the place of a body is not given back',
    file: 'src/ingest/admission.ts',
    find: '          all -= size;\n',
    replace: '',
    caughtBy: 'soak/ten-minutes',
  },
];
