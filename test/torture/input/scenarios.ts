import type { PlantedDefect, Scenario } from '../scenario.ts';
import { eventsRaw } from './events-raw.ts';
import { eventsStructured } from './events-structured.ts';

export const scenarios: readonly Scenario[] = [eventsStructured, eventsRaw];

export const planted: readonly PlantedDefect[] = [];
