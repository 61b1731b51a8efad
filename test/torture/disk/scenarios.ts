import type { PlantedDefect, Scenario } from '../scenario.ts';
import { failingSync } from './failing-sync.ts';
import { full } from './full.ts';
import { servicePowerCut } from './service-power-cut.ts';
import { slowSync } from './slow-sync.ts';
import { storePowerCut } from './store-power-cut.ts';

export const scenarios: readonly Scenario[] = [servicePowerCut, storePowerCut, failingSync, full, slowSync];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'commits are not synced',
    file: 'src/store/sqlite/connection.ts',
    find: 'PRAGMA synchronous = FULL;',
    replace: 'PRAGMA synchronous = NORMAL;',
    caughtBy: 'disk/store-power-cut',
  },
];
