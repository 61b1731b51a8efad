import type { PlantedDefect, Scenario } from '../scenario.ts';
import { fastClock } from './fast-clock.ts';

export const scenarios: readonly Scenario[] = [fastClock];

export const planted: readonly PlantedDefect[] = [];
