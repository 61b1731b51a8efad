import type { PlantedDefect, Scenario } from '../scenario.ts';
import { badNeighbours } from './bad-neighbours.ts';

export const scenarios: readonly Scenario[] = [badNeighbours];

export const planted: readonly PlantedDefect[] = [];
