import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import { TestResult, TestSettings } from '../../contract/destinations.ts';
import type { CheckStep, DestinationKind } from '../../destinations/destination.ts';
import { type ConnectionTest, testConnection } from '../../destinations/test-connection.ts';
import type { NewEvent } from '../../event/logged-event.ts';
import type { Attempt, StoredDestination } from '../../store/destinations.ts';
import { teamOf } from '../access.ts';
import { destinationEvent, destinationOf, destinationWithId } from '../destination-access.ts';
import { changedSettings, newSettings, openedSettings } from '../destination-settings.ts';
import { PROBLEM_ANSWERS } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { liveSignals } from '../server-sent-events.ts';
import { kindOf } from './destinations.ts';

/** "Test connection", of a saved destination or before it is saved: its steps as they end, or all at once as JSON. */
export function destinationTestRoute(app: App, parts: ServerParts): void {
  const { delivery, kinds, secretBox, openOutbound, log, clock, config } = parts;
  const liveSignal = liveSignals(app);
  const access = { access: 'destinations:write' } as const;
  const common = {
    tags: ['destinations'],
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
  };

  app.post(
    '/v1/destinations/:id/test',
    {
      config: access,
      schema: {
        ...common,
        summary: 'Test the connection step by step, with a marked test event',
        params: IdParams,
      },
    },
    async (request, reply) => {
      const stored = await destinationOf(request, parts);
      return answer(request, reply, stored, (test) =>
        delivery.tested(stored.id, attemptOf(test, clock.now()), [testedEvent(request, stored, test)]),
      );
    },
  );

  app.post(
    '/v1/destinations/test',
    {
      config: access,
      schema: { ...common, summary: 'Test settings before they are saved, in the same way', body: TestSettings },
    },
    async (request, reply) => {
      const kind = kindOf(kinds, request.body.kind);
      const unsaved = {
        ...{ id: UNSAVED, name: UNSAVED, kind: kind.kind, updatedAt: clock.now() },
        ...(await settingsToTest(request, kind)),
        team: await teamOf(request, parts),
      };
      return answer(request, reply, unsaved, (test) => log.append([testedEvent(request, unsaved, test)]));
    },
  );

  /** As sent; with `id`, secrets that are not sent are those of that destination. */
  async function settingsToTest(
    request: FastifyRequest<{ Body: TestSettings; Querystring: TeamQuery }>,
    kind: DestinationKind,
  ) {
    const { id, settings } = request.body;
    if (id === undefined) return newSettings(kind, UNSAVED, settings, secretBox);
    const stored = await destinationWithId(id, request, parts);
    if (stored.kind !== kind.kind) throw problem('invalid_settings', `The destination is of the kind ${stored.kind}.`);
    return { id, ...changedSettings(kind, stored, settings, secretBox) };
  }

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    tested: Tested,
    record: (test: ConnectionTest) => Promise<unknown>,
  ) {
    const kind = kindOf(kinds, tested.kind);
    const settings = openedSettings(kind, tested, secretBox);
    const context = { openOutbound, clock, brand: config.brandName, configuredAt: tested.updatedAt };
    const test = testConnection({ kind, settings, context, team: tested.team }, liveSignal(reply));
    const steps = recorded(test, record);
    if (!wantsJson(request))
      return reply
        .type('text/event-stream')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(frames(steps)));
    let step = await steps.next();
    while (!step.done) step = await steps.next();
    return reply.type('application/json').send({ ok: step.value.ok, steps: [...step.value.steps] });
  }

  function testedEvent(request: FastifyRequest, tested: Tested, test: ConnectionTest): NewEvent {
    const failed = test.steps.find(({ ok }) => !ok);
    return destinationEvent(request, tested, clock.now(), {
      eventType: 'siem.destination.tested',
      description: tested.name === UNSAVED ? 'Settings were tested' : `The connection of "${tested.name}" was tested`,
      status: test.ok ? 'success' : 'failure',
      ...(failed && { failureReason: `${failed.name}: ${failed.detail}` }),
    });
  }
}

type Tested = Pick<StoredDestination, 'id' | 'team' | 'name' | 'kind' | 'settings' | 'sealed' | 'updatedAt'>;

const UNSAVED = 'unsaved';

/** Whoever names both reads the stream. */
function wantsJson({ headers: { accept = '' } }: FastifyRequest): boolean {
  return /application\/json/i.test(accept) && !/text\/event-stream/i.test(accept);
}

/** The steps, with the result kept before it is told. */
async function* recorded(
  test: AsyncGenerator<CheckStep, ConnectionTest>,
  record: (test: ConnectionTest) => Promise<unknown>,
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
