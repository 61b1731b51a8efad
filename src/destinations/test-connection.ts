import { randomUUID } from 'node:crypto';
import type { LoggedEvent } from '../event/logged-event.ts';
import type { OpenOutbound, Outbound } from '../outbound/outbound.ts';
import { stepOf } from './check-step.ts';
import type { CheckStep, Destination, DestinationContext, DestinationKind, Outcome } from './destination.ts';
import { outcomeOfFailure } from './failure-outcome.ts';
import { sampleEvent } from './sample-events.ts';

export interface TestedConnection {
  readonly kind: DestinationKind;
  /** Settings as `parseSettings` or `joinSecrets` give them. */
  readonly settings: Parameters<DestinationKind['open']>[0];
  readonly context: DestinationContext;
  /** Whose test it is: the test event's team. */
  readonly team: string;
}

/** What "Test connection" found, for the attempts list. */
export interface ConnectionTest {
  readonly ok: boolean;
  readonly steps: readonly CheckStep[];
  readonly outcome: Outcome;
  /** Bytes of the test event's body; 0 when it was not sent. */
  readonly bytes: number;
  readonly durationMs: number;
}

/**
 * Tests a destination step by step on the path that deliveries take: address → TLS → what the SIEM's own check proves →
 * write of a marked test event. Steps are yielded as they end; after the first that fails no more are run. The
 * generator's return value sums the test up. Aborting `signal` fails the step in progress.
 */
export async function* testConnection(
  { kind, settings, context, team }: TestedConnection,
  signal: AbortSignal,
): AsyncGenerator<CheckStep, ConnectionTest> {
  const { clock } = context;
  const startedAt = clock.now();
  const steps: CheckStep[] = [];
  const done = (outcome: Outcome, bytes = 0): ConnectionTest => ({
    ok: steps.every(({ ok }) => ok) && outcome.kind === 'delivered',
    steps,
    outcome,
    bytes,
    durationMs: clock.now() - startedAt,
  });
  const add = (step: CheckStep): CheckStep => {
    steps.push(step);
    return step;
  };
  // The probe uses what the destination itself opened, so that it trusts the same certificates.
  const opened: Outbound[] = [];
  const openOutbound: OpenOutbound = (options) => {
    const outbound = context.openOutbound(options);
    opened.push(outbound);
    return outbound;
  };
  const destination = kind.open(settings, { ...context, openOutbound });
  try {
    const probe = await (opened[0] ?? openOutbound({})).probe(destination.endpoint, signal);
    if ('kind' in probe) {
      const outcome = outcomeOfFailure(probe, kind.title);
      yield add(stepOf(probe.stage === 'tls' ? 'tls' : 'address', outcome, '', clock.now() - startedAt));
      return done(outcome);
    }
    const { ip, via, ms: connectMs } = probe.address;
    const detail = `connected to ${ip}${via === undefined ? '' : ` through the proxy ${via}`}`;
    yield add({ name: 'address', ok: true, detail, ms: connectMs });
    if (probe.tls) {
      const { issuer, protocol, validTo, ms } = probe.tls;
      const day = new Date(validTo).toISOString().slice(0, 10);
      yield add({ name: 'tls', ok: true, detail: `${protocol}, certificate by ${issuer}, valid until ${day}`, ms });
    }

    const checked = yield* relay(destination, signal, add);
    if (checked.kind !== 'delivered') return done(checked);

    const writingAt = clock.now();
    const batch = await destination.prepare([testEvent(team, context)]);
    const written = await batch.send(signal);
    yield add(stepOf('write', written, `${kind.title} took a test event`, clock.now() - writingAt));
    return done(written, batch.bytes);
  } finally {
    await Promise.all([destination.close(), ...opened.map((outbound) => outbound.close())]);
  }
}

/** The destination's own check, its steps as they end. */
async function* relay(
  destination: Destination,
  signal: AbortSignal,
  add: (step: CheckStep) => CheckStep,
): AsyncGenerator<CheckStep, Outcome> {
  const found: CheckStep[] = [];
  let ended = false;
  let news = Promise.withResolvers<void>();
  const checking = destination
    .check(signal, (step) => {
      found.push(step);
      news.resolve();
    })
    .finally(() => {
      ended = true;
      news.resolve();
    });
  for (;;) {
    for (let step = found.shift(); step; step = found.shift()) yield add(step);
    if (ended) return checking;
    await news.promise;
    news = Promise.withResolvers();
  }
}

/** An event that nobody takes for something that happened: type, description and metadata say that it is a test. */
function testEvent(team: string, { clock, brand }: DestinationContext): LoggedEvent {
  return sampleEvent({
    id: `test-${randomUUID()}`,
    team,
    sequence: 0,
    timestamp: clock.now(),
    eventType: 'siem.destination.tested',
    eventCategory: 'administrative',
    content: {
      description: `Test event of the ${brand} audit log`,
      actor: { id: 'trailproof', type: 'system' },
      context: { teamId: team },
      metadata: { test: true },
    },
  });
}
