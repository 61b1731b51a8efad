import type { PlantedDefect, Scenario } from '../scenario.ts';
import { appendSettle } from './append-settle.ts';
import { replay } from './replay.ts';

export const scenarios: readonly Scenario[] = [appendSettle, replay];

export const planted: readonly PlantedDefect[] = [];
