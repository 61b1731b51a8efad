import type { NewEvent } from '../event/logged-event.ts';
import { ownEvent } from '../event/own-event.ts';
import type { StoredDestination } from '../store/destinations.ts';
import type { StateChange } from './states.ts';

const EVENT_TYPE = 'siem.destination.state_changed';
const ACTOR = { id: 'trailproof', type: 'system', name: 'Trailproof' } as const;

/** The audit event of a destination's change of state, for its team's own log. */
export function stateChanged(stored: StoredDestination, change: StateChange, at: number): NewEvent {
  const { previous, finding, suppressed } = change;
  const isWell = finding.state === 'connected';
  return ownEvent({
    ...about(stored, at),
    status: isWell ? 'success' : 'failure',
    ...(!isWell && finding.cause !== null && { failureReason: finding.cause }),
    description: `Forwarding to ${stored.name}: ${words(previous)} → ${words(finding.state)}`,
    changes: { previous: { state: previous }, current: { ...finding } },
    metadata: { kind: stored.kind, suppressedChanges: suppressed },
  });
}

/** The audit event of a warning: the oldest waiting event is about to leave the SIEM's time window. */
export function aboutToAge(stored: StoredDestination, warning: string, at: number): NewEvent {
  return ownEvent({
    ...about(stored, at),
    status: 'failure',
    failureReason: warning,
    description: `Forwarding to ${stored.name}: ${warning}`,
    metadata: { kind: stored.kind, warning },
  });
}

function about({ team, id, name }: StoredDestination, at: number) {
  return { team, at, eventType: EVENT_TYPE, actor: ACTOR, target: { type: 'siem_destination', id, name } };
}

function words(state: StateChange['previous']): string {
  return state.replaceAll('_', ' ');
}
