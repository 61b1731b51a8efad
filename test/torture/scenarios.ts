import * as answers from './answers/scenarios.ts';
import * as crash from './crash/scenarios.ts';
import * as disk from './disk/scenarios.ts';
import * as input from './input/scenarios.ts';
import * as isolation from './isolation/scenarios.ts';
import * as network from './network/scenarios.ts';
import type { PlantedDefect, Scenario } from './scenario.ts';
import * as security from './security/scenarios.ts';
import * as soak from './soak/scenarios.ts';
import * as store from './store/scenarios.ts';
import * as time from './time/scenarios.ts';

/** In the order of the table. */
const GROUPS = [crash, disk, store, network, answers, isolation, time, input, security, soak];

export const scenarios: readonly Scenario[] = GROUPS.flatMap((group) => group.scenarios);
export const planted: readonly PlantedDefect[] = GROUPS.flatMap((group) => group.planted);
