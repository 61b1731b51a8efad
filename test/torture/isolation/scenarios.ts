import type { PlantedDefect, Scenario } from '../scenario.ts';
import { badNeighbours } from './bad-neighbours.ts';
import { fairIngest } from './fair-ingest.ts';

export const scenarios: readonly Scenario[] = [badNeighbours, fairIngest];

export const planted: readonly PlantedDefect[] = [];
