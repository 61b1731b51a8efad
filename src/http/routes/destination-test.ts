import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import { TestResult } from '../../contract/destinations.ts';
import type { CheckStep } from '../../destinations/destination.ts';
import { type ConnectionTest, testConnection } from '../../destinations/test-connection.ts';
import type { Attempt, StoredDestination } from '../../store/destinations.ts';
import { destinationEvent, destinationOf } from '../destination-access.ts';
import { openedSettings } from '../destination-settings.ts';
import { PROBLEM_ANSWERS } from '../openapi.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { liveSignals } from '../server-sent-events.ts';
import { kindOf } from './destinations.ts';

/** "Test connection": its steps as they end, or all at once for those who ask for JSON. */
export function destinationTestRoute(app: App, parts: ServerParts): void {
  const { delivery, kinds, secretBox, openOutbound, clock, config } = parts;
  const liveSignal = liveSignals(app);

  app.post(
    '/v1/destinations/:id/test',
    {
      config: { access: 'destinations:write' },
      schema: {
        tags: ['destinations'],
        summary: 'Test the connection step by step, with a marked test event',
        params: IdParams,
        querystring: TeamQuery,
        response: {
          200: {
            description: 'Server-sent events `step` and, last, `result`; one result with Accept: application/json',
            content: {
              'text/event-stream': { schema: Type.String() },
              'application/json': { schema: TestResult },
            },
          },
          ...PROBLEM_ANSWERS,
        },
      },
    },
    async (request, reply) => {
      const stored = await destinationOf(request, parts);
      const kind = kindOf(kinds, stored.kind);
      const settings = openedSettings(kind, stored, secretBox);
      const context = { openOutbound, clock, brand: config.brandName, configuredAt: stored.updatedAt };
      const test = testConnection({ kind, settings, context, team: stored.team }, liveSignal(reply));
      const steps = recorded(test, (result) => record(request, stored, result));
      if (!wantsJson(request))
        return reply
          .type('text/event-stream')
          .header('x-accel-buffering', 'no')
          .send(Readable.from(frames(steps)));
      let step = await steps.next();
      while (!step.done) step = await steps.next();
      return reply.type('application/json').send({ ok: step.value.ok, steps: [...step.value.steps] });
    },
  );

  async function record(request: FastifyRequest, stored: StoredDestination, test: ConnectionTest): Promise<void> {
    const failed = test.steps.find(({ ok }) => !ok);
    const tested = destinationEvent(request, stored, clock.now(), {
      eventType: 'siem.destination.tested',
      description: `The connection of "${stored.name}" was tested`,
      status: test.ok ? 'success' : 'failure',
      ...(failed && { failureReason: `${failed.name}: ${failed.detail}` }),
    });
    await delivery.tested(stored.id, attemptOf(test, clock.now()), [tested]);
  }
}

/** Whoever names both reads the stream. */
function wantsJson({ headers: { accept = '' } }: FastifyRequest): boolean {
  return /application\/json/i.test(accept) && !/text\/event-stream/i.test(accept);
}

/** The steps, with the result kept before it is told. */
async function* recorded(
  test: AsyncGenerator<CheckStep, ConnectionTest>,
  record: (test: ConnectionTest) => Promise<void>,
) {
  const result = yield* test;
  await record(result);
  return result;
}

async function* frames(steps: AsyncGenerator<CheckStep, ConnectionTest>) {
  let step = await steps.next();
  for (; !step.done; step = await steps.next()) yield `event: step\ndata: ${JSON.stringify(step.value)}\n\n`;
  const { ok, steps: all } = step.value;
  yield `event: result\ndata: ${JSON.stringify({ ok, steps: all })}\n\n`;
}

function attemptOf({ ok, outcome, bytes, durationMs }: ConnectionTest, at: number): Attempt {
  return {
    at,
    kind: 'test',
    firstSequence: 0,
    lastSequence: 0,
    events: bytes > 0 ? 1 : 0,
    delivered: ok ? 1 : 0,
    bytes,
    durationMs,
    lagMs: null,
    outcome: outcome.kind,
    status: outcome.status ?? null,
    reason: outcome.kind === 'delivered' ? null : outcome.reason,
    answer: outcome.answer ?? null,
  };
}
