import type { TeamId } from '../event/logged-event.ts';

/**
 * Nobody finds out late: a destination's change to a bad state, and back, is mailed to the team's Owners and Admins and
 * posted to the team's webhook, at most once per state and quarter of an hour.
 */
export interface Alerting {
  /** A destination may have changed state: look. */
  noticed(destination: string): void;
  /** Sends a test to those who would get an alert. What was measured, and what to do if it failed. */
  test(team: TeamId, channel: 'mail' | 'webhook'): Promise<TestedAlert>;
  /** Makes a new signing secret for the team's webhook: sealed for keeping, and in clear to show once. */
  newSecret(team: TeamId): { readonly sealed: string; readonly secret: string };
  stop(): Promise<void>;
}

export interface TestedAlert {
  readonly ok: boolean;
  readonly detail: string;
  readonly fix: string | null;
}
