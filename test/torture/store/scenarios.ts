import type { PlantedDefect, Scenario } from '../scenario.ts';

export const scenarios: readonly Scenario[] = [];

export const planted: readonly PlantedDefect[] = [];
