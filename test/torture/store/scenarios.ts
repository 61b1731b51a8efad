import type { PlantedDefect, Scenario } from '../scenario.ts';
import { downgrade } from './downgrade.ts';
import { twoProcesses } from './two-processes.ts';
import { walCut } from './wal-cut.ts';

export const scenarios: readonly Scenario[] = [walCut, twoProcesses, downgrade];

export const planted: readonly PlantedDefect[] = [];
