import type { PlantedDefect, Scenario } from '../scenario.ts';
import { storePowerCut } from './store-power-cut.ts';

export const scenarios: readonly Scenario[] = [storePowerCut];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'commits are not synced',
    file: 'src/store/sqlite/connection.ts',
    find: 'PRAGMA synchronous = FULL;',
    replace: 'PRAGMA synchronous = NORMAL;',
    caughtBy: 'disk/store-power-cut',
  },
];
