import { type LoggedEvent, withPlace } from '../event/logged-event.ts';

/** What a sample event may differ in. */
export interface SampleEvent {
  readonly id?: string;
  readonly team?: string;
  readonly sequence?: number;
  /** Milliseconds since the epoch; also taken as receivedAt. */
  readonly timestamp?: number;
  readonly eventType?: string;
  readonly eventCategory?: string;
  /** Members of the event that replace or join the sample's own. */
  readonly content?: Readonly<Record<string, unknown>>;
}

const SAMPLE_AT = Date.UTC(2026, 0, 15, 10, 30);

/** One event as the log would hold it: for the connection test and for tests. */
export function sampleEvent(sample: SampleEvent = {}): LoggedEvent {
  const team = sample.team ?? 'team-1';
  const sequence = sample.sequence ?? 1;
  const timestamp = sample.timestamp ?? SAMPLE_AT;
  const id = sample.id ?? `sample-${team}-${sequence}`;
  const eventType = sample.eventType ?? 'auth.login.success';
  const eventCategory = sample.eventCategory ?? 'authentication';
  const json = withPlace(
    JSON.stringify({
      timestamp: new Date(timestamp).toISOString(),
      id,
      version: '1.0',
      eventType,
      eventCategory,
      status: 'success',
      actor: { id: 'user-1', email: 'ana@example.com', type: 'user' },
      context: { ipAddress: '192.0.2.10', teamId: team },
      ...sample.content,
    }),
    sequence,
    timestamp,
  );
  return {
    team,
    sequence,
    id,
    eventType,
    eventCategory,
    timestamp,
    receivedAt: timestamp,
    json,
    bytes: Buffer.byteLength(json),
  };
}

/** `count` different events of one team from sequence `first` on, a millisecond apart from `startAt` on. */
export function sampleEvents(
  count: number,
  { first = 1, startAt = SAMPLE_AT }: { readonly first?: number; readonly startAt?: number } = {},
): readonly LoggedEvent[] {
  return Array.from({ length: count }, (_, i) => sampleEvent({ sequence: first + i, timestamp: startAt + i }));
}
