import type { PlantedDefect, Scenario } from '../scenario.ts';
import { answers } from './answer.ts';
import { body } from './body.ts';
import { connect } from './connect.ts';
import { keepAlive } from './keep-alive.ts';
import { tls } from './tls.ts';

export const scenarios: readonly Scenario[] = [connect, body, answers, tls, keepAlive];

export const planted: readonly PlantedDefect[] = [];
