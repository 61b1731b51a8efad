import type { Attempt } from '../store/destinations.ts';
import { toTime } from './time.ts';

/** An attempt as the API shows it. */
export function shownAttempt(attempt: Attempt) {
  return { ...attempt, at: toTime(attempt.at) };
}
