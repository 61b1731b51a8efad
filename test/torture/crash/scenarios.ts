import type { PlantedDefect, Scenario } from '../scenario.ts';
import { appendSettle } from './append-settle.ts';
import { configuration } from './configuration.ts';
import { faults } from './faults.ts';
import { indexSearch } from './index-search.ts';
import { ingest } from './ingest.ts';
import { migration } from './migration.ts';
import { redrive } from './redrive.ts';
import { replay } from './replay.ts';
import { retention } from './retention.ts';
import { rotation } from './rotation.ts';

export const scenarios: readonly Scenario[] = [
  ingest,
  appendSettle,
  replay,
  redrive,
  configuration,
  migration,
  retention,
  indexSearch,
  rotation,
  faults,
];

/** In the midst of a transaction: what came before is kept, whatever becomes of the rest. */
const CUT = "connection.exec('COMMIT'); connection.exec('BEGIN IMMEDIATE');";

export const planted: readonly PlantedDefect[] = [
  {
    name: 'what fills no row of its team is kept in memory only',
    file: 'src/store/sqlite/log-writer.ts',
    find: '    this.#keepInJournal();\n',
    replace: '',
    caughtBy: 'crash/ingest',
  },
  {
    name: 'an id is not known until its event has left the journal',
    file: 'src/store/sqlite/log-writer.ts',
    find: '    end.looseIds.set(event.id, event);\n',
    replace: '',
    caughtBy: 'crash/ingest',
  },
  {
    name: 'a batch is settled in two transactions',
    file: 'src/store/sqlite/destinations.ts',
    find: '  if (attempt) insertAttempt(connection, no, attempt);',
    replace: `  if (attempt) { ${CUT} insertAttempt(connection, no, attempt); }`,
    caughtBy: 'crash/append-settle',
  },
  {
    name: 'the cursor moves before what is in flight has its answer',
    file: 'src/delivery/lane.ts',
    find: "  for (const { batch } of lane.flights) if (batch.kind === 'delivery') first(batch.events);",
    replace: '',
    caughtBy: 'crash/append-settle',
  },
  {
    name: 'the index of ids is written in a transaction of its own',
    file: 'src/store/sqlite/log-writer.ts',
    find: '    end.ids.add(moved);',
    replace: `    this.#${CUT.replace('; ', '; this.#')}\n    end.ids.add(moved);`,
    caughtBy: 'crash/append-settle',
  },
  {
    name: 'the begin of a replay is recorded apart from it',
    file: 'src/delivery/replay.ts',
    find: 'await loop.commit({ replay }, { audit });',
    replace: 'await loop.commit({ replay }); await loop.commit({}, { audit });',
    caughtBy: 'crash/replay',
  },
  {
    name: 'dead letters are marked apart from the counters',
    file: 'src/store/sqlite/destinations.ts',
    find: '  for (const id of redrive)\n',
    replace: `  if (redrive.length > 0) { ${CUT} }\n  for (const id of redrive)\n`,
    caughtBy: 'crash/redrive',
  },
  {
    name: 'a change of a destination is recorded apart from it',
    file: 'src/store/sqlite/destinations.ts',
    find: 'body, crc32(body), destination.id) === 0) throw unknown(destination.id);\n',
    replace: `body, crc32(body), destination.id) === 0) throw unknown(destination.id);\n        ${CUT}\n`,
    caughtBy: 'crash/configuration',
  },
  {
    name: 'a migration has no transaction',
    file: 'src/store/sqlite/migrations.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    find: 'BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${version}; COMMIT;',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    replace: '${sql} PRAGMA user_version = ${version};',
    caughtBy: 'crash/migration',
  },
  {
    name: 'retention forgets the ids apart from the events',
    file: 'src/store/sqlite/log-writer.ts',
    find: '    end.ids.delete(deleted);',
    replace: `    this.#${CUT.replace('; ', '; this.#')}\n    end.ids.delete(deleted);`,
    caughtBy: 'crash/retention',
  },
  {
    name: 'a segment of the search index is written apart from its columns',
    file: 'src/search/segment-file.ts',
    find: '      let bytes = this.#insertTimes(id, { times, periods });\n      for (const [i, column] of columns.entries()) bytes += this.#insertColumn(id, i, column);\n      this.#insertRow(team, { id, tier: 0, bytes, ...segment });',
    replace:
      "      this.#insertRow(team, { id, tier: 0, bytes: 0, ...segment });\n      this.#database.exec('COMMIT'); this.#database.exec('BEGIN');\n      this.#insertTimes(id, { times, periods });\n      for (const [i, column] of columns.entries()) this.#insertColumn(id, i, column);",
    caughtBy: 'crash/index',
  },
  {
    name: 'the new master key is there before the old one is kept',
    file: 'src/config/master-key.ts',
    find: '  keepFile(join(config.dataDir, PREVIOUS), linesOf([key, ...previous]));\n  keepFile(file, linesOf([randomBytes(32)]));',
    replace:
      '  keepFile(file, linesOf([randomBytes(32)]));\n  keepFile(join(config.dataDir, PREVIOUS), linesOf([key, ...previous]));',
    caughtBy: 'crash/rotation',
  },
  {
    name: 'the first event of a batch that failed is forgotten',
    file: 'src/delivery/verdict.ts',
    find: "if (outcome.kind !== 'refused') return { delivered, rejected: [], again: part(batch, rest) };",
    replace: "if (outcome.kind !== 'refused') return { delivered, rejected: [], again: part(batch, rest.slice(1)) };",
    caughtBy: 'crash/faults',
  },
];
