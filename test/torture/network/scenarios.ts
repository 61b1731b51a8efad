import type { PlantedDefect, Scenario } from '../scenario.ts';
import { connect } from './connect.ts';

export const scenarios: readonly Scenario[] = [connect];

export const planted: readonly PlantedDefect[] = [];
