import type { PlantedDefect, Scenario } from '../scenario.ts';
import { backup } from './backup.ts';
import { damagedPage } from './damaged-page.ts';
import { downgrade } from './downgrade.ts';
import { readOnly } from './read-only.ts';
import { twoProcesses } from './two-processes.ts';
import { walCut } from './wal-cut.ts';

export const scenarios: readonly Scenario[] = [walCut, backup, damagedPage, readOnly, twoProcesses, downgrade];

export const planted: readonly PlantedDefect[] = [];
