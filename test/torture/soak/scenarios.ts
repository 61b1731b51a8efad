import type { PlantedDefect, Scenario } from '../scenario.ts';
import { fastClock } from './fast-clock.ts';
import { tenMinutes } from './ten-minutes.ts';

export const scenarios: readonly Scenario[] = [tenMinutes, fastClock];

export const planted: readonly PlantedDefect[] = [];
