import type { PlantedDefect, Scenario } from '../scenario.ts';
import { appendSettle } from './append-settle.ts';
import { faults } from './faults.ts';
import { ingest } from './ingest.ts';
import { redrive } from './redrive.ts';
import { replay } from './replay.ts';
import { rotation } from './rotation.ts';

export const scenarios: readonly Scenario[] = [ingest, appendSettle, replay, redrive, faults, rotation];

export const planted: readonly PlantedDefect[] = [];
