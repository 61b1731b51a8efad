import type { PlantedDefect, Scenario } from '../scenario.ts';
import { eventsStructured } from './events-structured.ts';

export const scenarios: readonly Scenario[] = [eventsStructured];

export const planted: readonly PlantedDefect[] = [];
