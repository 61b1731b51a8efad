import type { PlantedDefect, Scenario } from '../scenario.ts';
import { appendSettle } from './append-settle.ts';

export const scenarios: readonly Scenario[] = [appendSettle];

export const planted: readonly PlantedDefect[] = [];
