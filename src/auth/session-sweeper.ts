import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Ends sessions when they expire, of people who never come back too. Sleeps until the next one expires, an hour at
 * most: sessions last longer than that, so one that begins meanwhile is not missed, and one prolonged costs one look.
 */
export function startSessionSweeper(parts: {
  readonly nextExpiry: () => number | null;
  readonly sweep: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}): { stop(): Promise<void> } {
  const { nextExpiry, sweep, clock, logger } = parts;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const due = Math.max((nextExpiry() ?? Number.POSITIVE_INFINITY) - clock.now(), 0);
      await clock.sleep(failures > 0 ? RETRY_MS : Math.min(due, LONGEST_MS), stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await sweep();
        failures = 0;
      } catch (err) {
        failures += 1;
        logger.warn({ err }, 'expired sessions could not be ended; trying again in a minute');
      }
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

const LONGEST_MS = 3_600_000;
const RETRY_MS = 60_000;
