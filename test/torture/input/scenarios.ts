import type { PlantedDefect, Scenario } from '../scenario.ts';
import { apiRoutes } from './api-routes.ts';
import { cliImport } from './cli-import.ts';
import { eventsRaw } from './events-raw.ts';
import { eventsStructured } from './events-structured.ts';
import { httpRaw } from './http-raw.ts';
import { storedSettings } from './stored-settings.ts';

export const scenarios: readonly Scenario[] = [
  eventsStructured,
  eventsRaw,
  httpRaw,
  apiRoutes,
  cliImport,
  storedSettings,
];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'a key of an event is assigned, not defined',
    file: 'src/event/normalise.ts',
    find: 'Object.fromEntries(unknown)',
    replace: 'unknown.reduce((all: Record<string, unknown>, [key, value]) => ((all[key] = value), all), {})',
    caughtBy: eventsStructured.name,
  },
  {
    name: 'a key written with an escape is left to V8',
    file: 'src/event/parse-json.ts',
    find: 'ESCAPED_KEY.test(json) ?',
    replace: 'ESCAPED_KEY.test(json) && process.pid < 0 ?',
    caughtBy: eventsStructured.name,
  },
  {
    name: 'an event may nest without end',
    file: 'src/event/normalise.ts',
    find: 'const MAX_DEPTH = 64;',
    replace: 'const MAX_DEPTH = Number.POSITIVE_INFINITY;',
    caughtBy: eventsStructured.name,
  },
  {
    name: 'a body has no limit once it is decompressed',
    file: 'src/http/request-body.ts',
    find: 'one.bytes + chunk.length > most',
    replace: 'gunzip === null && one.bytes + chunk.length > most',
    caughtBy: eventsRaw.name,
  },
  {
    name: 'a large array is parsed whole',
    file: 'src/ingest/body.ts',
    find: 'const SMALL_BYTES = 512 * 1024;',
    replace: 'const SMALL_BYTES = Number.POSITIVE_INFINITY;',
    caughtBy: eventsRaw.name,
  },
  {
    name: 'a broken request is answered before those ahead of it',
    file: 'src/http/broken-requests.ts',
    find: 'if (last) last',
    replace: 'if (last && process.pid < 0) last',
    caughtBy: httpRaw.name,
  },
  {
    name: 'a time that is none is a fault of the service',
    file: 'src/http/time.ts',
    find: "throw invalidField(path, 'must be a time",
    replace: "throw new RangeError(path + 'must be a time",
    caughtBy: apiRoutes.name,
  },
  {
    name: 'the mark before a file is of its first event',
    file: 'src/cli/events.ts',
    find: 'isFirst ? line',
    replace: 'isFirst && process.pid < 0 ? line',
    caughtBy: cliImport.name,
  },
  {
    name: 'the progress of a destination is not looked at before it is used',
    file: 'src/store/sqlite/stored-json.ts',
    find: '(bodyOf(row) && progressOf(row)) ?? UNKNOWN',
    replace: 'JSON.parse(row.progress) as Progress',
    caughtBy: storedSettings.name,
  },
];
