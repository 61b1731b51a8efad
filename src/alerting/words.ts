import type { Health } from '../delivery/delivery.ts';
import type { DestinationState } from '../store/destinations.ts';
import type { Team } from '../store/teams.ts';

/** What is told of a destination, taken at one moment, so that every way of telling says the same. */
export interface Alert {
  readonly team: Pick<Team, 'id' | 'name'>;
  /** `title`: the kind's, as people know it. */
  readonly destination: { readonly id: string; readonly name: string; readonly kind: string; readonly title: string };
  readonly health: Pick<Health, 'state' | 'since' | 'cause' | 'fix' | 'lag'>;
  /** The state told before; null: none. */
  readonly previous: DestinationState | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly baseUrl: string;
}

/** The mail's subject and text. */
export function mailOf(alert: Alert): { readonly subject: string; readonly text: string } {
  const { team, destination, health, previous, baseUrl } = alert;
  const named = `${destination.title} “${destination.name}”`;
  const has = health.state === 'connected' ? 'accepts events again' : NEWS[health.state];
  const state =
    health.state === 'connected'
      ? `${named} accepts events again since ${utc(health.since)}. Before: ${stateWords(previous ?? 'connected', destination.title)}.`
      : `${named} ${has} since ${utc(health.since)}: ${stateWords(health.state, destination.title)}.`;
  const paragraphs = [
    state,
    health.cause ? `Measured: ${health.cause}` : null,
    health.fix ? `What to do: ${health.fix}` : null,
    waitingWords(health.lag),
    linkOf(alert),
    `You get this mail as an Owner or Admin of ${team.name}. To change that: ${settingsOf(team, baseUrl)}`,
  ];
  return {
    subject: `${named} ${has} (${team.name})`,
    text: `${paragraphs.filter((paragraph) => paragraph !== null).join('\n\n')}\n`,
  };
}

/** The webhook's body. Fields may be added; none changes its meaning. */
export function webhookBodyOf(alert: Alert): string {
  const { team, destination, health, previous, at } = alert;
  return JSON.stringify({
    type: 'siem.destination.state_changed',
    timestamp: new Date(at).toISOString(),
    data: {
      team: { id: team.id, name: team.name },
      destination: { id: destination.id, name: destination.name, kind: destination.kind },
      state: health.state,
      previousState: previous,
      since: new Date(health.since).toISOString(),
      summary: mailOf(alert).subject,
      cause: health.cause,
      fix: health.fix,
      waiting: { events: health.lag.events, oldestSeconds: health.lag.seconds, summary: waitingWords(health.lag) },
      url: linkOf(alert),
    },
  });
}

export function testMailOf(team: Alert['team'], baseUrl: string): ReturnType<typeof mailOf> {
  return {
    subject: `Test of alerts (${team.name})`,
    text: `Alerts about forwarding reach you: this is how they come, to Owners and Admins of ${team.name}.\n\n${settingsOf(team, baseUrl)}\n`,
  };
}

export function testWebhookBodyOf(team: Alert['team'], baseUrl: string, at: number): string {
  return JSON.stringify({
    type: 'siem.alert.test',
    timestamp: new Date(at).toISOString(),
    data: {
      team: { id: team.id, name: team.name },
      summary: `Test of alerts (${team.name})`,
      url: settingsOf(team, baseUrl),
    },
  });
}

const NEWS: Readonly<Record<Exclude<DestinationState, 'connected'>, string>> = {
  pending: 'has not accepted events yet',
  retrying: 'is not accepting events at the moment',
  throttled: 'is slowing events down',
  disconnected: 'has stopped accepting events',
  authentication_failed: 'has stopped accepting events',
  misconfigured: 'has stopped accepting events',
  paused: 'is paused',
};

/** The state as the console says it. */
function stateWords(state: DestinationState, title: string): string {
  const words: Readonly<Record<DestinationState, string>> = {
    pending: 'New',
    connected: 'Connected',
    retrying: 'Retrying',
    throttled: `Slowed down by ${title}`,
    disconnected: 'Disconnected',
    authentication_failed: 'Authentication failed',
    misconfigured: 'Needs a correction',
    paused: 'Paused',
  };
  return words[state];
}

function waitingWords({ events, seconds }: Health['lag']): string {
  if (events === 0) return 'No event is waiting. None is lost.';
  const count = events === 1 ? '1 event is' : `${events.toLocaleString('en-US')} events are`;
  return `${count} waiting. None is lost. The oldest has waited for ${durationWords(seconds)}.`;
}

function durationWords(seconds: number): string {
  const [size, unit] = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ].find(([least]) => seconds >= Number(least)) ?? [1, 'second'];
  const count = Math.floor(seconds / Number(size));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function linkOf({ baseUrl, team, destination }: Alert): string {
  return `${baseUrl}/settings/siem/${encodeURIComponent(destination.id)}?team=${encodeURIComponent(team.id)}`;
}

function settingsOf(team: Alert['team'], baseUrl: string): string {
  return `${baseUrl}/settings/general?team=${encodeURIComponent(team.id)}`;
}

/** `2026-01-15 10:42:07 UTC` */
function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
