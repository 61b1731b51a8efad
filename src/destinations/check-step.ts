import type { Clock } from '../clock.ts';
import type { CheckStep, Outcome } from './destination.ts';

export interface CheckStepOptions {
  readonly name: string;
  /** Said when all is well. */
  readonly detail: string;
  readonly clock: Clock;
  readonly report: ((step: CheckStep) => void) | undefined;
}

/** Runs one step of a check, reports it as it ends, and hands on what it found. */
export async function checkStep(options: CheckStepOptions, run: () => Promise<Outcome>): Promise<Outcome> {
  const { name, detail, clock, report } = options;
  const startedAt = clock.now();
  const outcome = await run();
  report?.(stepOf(name, outcome, detail, clock.now() - startedAt));
  return outcome;
}

/** An outcome as one step of a connection check: `detail` says what is good, otherwise the outcome says what is not. */
export function stepOf(name: string, outcome: Outcome, detail: string, ms: number): CheckStep {
  if (outcome.kind === 'delivered')
    return { name, ok: true, detail: outcome.warning ? `${detail}; ${outcome.warning}` : detail, ms };
  return { name, ok: false, detail: outcome.reason, fix: fixOf(outcome), ms };
}

function fixOf(outcome: Exclude<Outcome, { kind: 'delivered' }>): string {
  switch (outcome.kind) {
    case 'misconfigured':
      return outcome.fix;
    case 'retry':
      return outcome.cause === 'unreachable'
        ? 'Check host and port, and that your firewall allows our IP addresses.'
        : 'Try again later: the SIEM cannot answer at the moment.';
    case 'throttled':
      return 'Try again later: the SIEM has more to do than it can take.';
    case 'partial':
    case 'refused':
      return 'Check the settings that name where events go: the SIEM takes none there.';
    default:
      return outcome satisfies never;
  }
}
