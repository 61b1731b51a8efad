import type { PlantedDefect, Scenario } from '../scenario.ts';
import { eventsRaw } from './events-raw.ts';
import { eventsStructured } from './events-structured.ts';
import { httpRaw } from './http-raw.ts';

export const scenarios: readonly Scenario[] = [eventsStructured, eventsRaw, httpRaw];

export const planted: readonly PlantedDefect[] = [];
