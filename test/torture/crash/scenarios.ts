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

export const planted: readonly PlantedDefect[] = [];
