import type { PlantedDefect, Scenario } from '../scenario.ts';
import { badNeighbours } from './bad-neighbours.ts';
import { fairDelivery } from './fair-delivery.ts';
import { fairIngest } from './fair-ingest.ts';

export const scenarios: readonly Scenario[] = [badNeighbours, fairIngest, fairDelivery];

export const planted: readonly PlantedDefect[] = [];
