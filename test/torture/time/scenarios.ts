import type { PlantedDefect, Scenario } from '../scenario.ts';
import { clockJumps } from './clock-jumps.ts';
import { longOutage } from './long-outage.ts';
import { timestamps } from './timestamps.ts';
import { windows } from './windows.ts';

export const scenarios: readonly Scenario[] = [
  {
    name: 'time/clock-jumps',
    inShort: true,
    uncertain: 'connections are reset after the SIEM has stored a batch',
    run: clockJumps,
  },
  { name: 'time/timestamps', inShort: true, run: timestamps },
  { name: 'time/windows', inShort: true, run: windows },
  { name: 'time/long-outage', inShort: true, run: longOutage },
];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'a clock that is set back keeps a lane waiting',
    file: 'src/delivery/lane-loop.ts',
    find: '    this.#watchClock();\n',
    replace: '',
    caughtBy: 'time/clock-jumps',
  },
  {
    name: 'receivedAt follows a clock that is set back',
    file: 'src/store/sqlite/log-writer.ts',
    find: 'const receivedAt = Math.max(now, end.lastReceivedAt);',
    replace: 'const receivedAt = now;',
    caughtBy: 'time/clock-jumps',
  },
  {
    name: 'retention believes any clock',
    file: 'src/retention/retention.ts',
    find: '    if (await isDoubtful(at, ids)) return { at, deleted, held };\n',
    replace: '',
    caughtBy: 'time/clock-jumps',
  },
  {
    name: 'retention deletes what a destination still waits for',
    file: 'src/retention/retention.ts',
    find: 'Math.min(due, await settledThrough(team))',
    replace: 'due',
    caughtBy: 'time/long-outage',
  },
  {
    name: 'an event past the window of its SIEM goes out with its own time',
    file: 'src/destinations/datadog/encode.ts',
    find: 'isTakenAt ? timestamp : new Date(now).toISOString()',
    replace: 'timestamp',
    caughtBy: 'time/windows',
  },
  {
    name: 'nobody is warned before events leave the window of their SIEM',
    file: 'src/delivery/waiting.ts',
    find: 'oldest.timestamp + maxAgeMs * 0.8;',
    replace: 'oldest.timestamp + maxAgeMs * 80;',
    caughtBy: 'time/windows',
  },
  {
    name: 'a time without a zone is of the zone where the service lives',
    file: 'src/event/timestamp.ts',
    find: 'const localAt = Date.parse(local);',
    replace: 'const localAt = Date.parse(local.slice(0, -1));',
    caughtBy: 'time/timestamps',
  },
];
