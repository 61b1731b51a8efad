import type { PlantedDefect, Scenario } from '../scenario.ts';
import { eventsRaw } from './events-raw.ts';
import { eventsStructured } from './events-structured.ts';
import { httpRaw } from './http-raw.ts';
import { storedSettings } from './stored-settings.ts';

export const scenarios: readonly Scenario[] = [eventsStructured, eventsRaw, httpRaw, storedSettings];

export const planted: readonly PlantedDefect[] = [];
