import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { StreamQuery } from '../../contract/events.ts';
import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import { compileQuery } from '../../search/match.ts';
import { teamOf } from '../access.ts';
import { eventQuery } from '../event-query.ts';
import { answersAs } from '../openapi.ts';
import { invalidField } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { liveSignals } from '../server-sent-events.ts';

/** The live tail: a reader of the log like any other, one page in memory, paced by its reader. */
export function eventStreamRoute(app: App, parts: ServerParts): void {
  const { log, accounts, people, clock, logger } = parts;
  const liveSignal = liveSignals(app);

  app.get(
    '/v1/events/stream',
    {
      config: { access: 'events:read' },
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        summary: 'Live tail: new events of a filter as server-sent events',
        description: '`id:` is the sequence; `Last-Event-ID` (or `after`) resumes behind it. A comment every 15 s.',
        querystring: StreamQuery,
        response: answersAs('text/event-stream', 'One event each, as JSON'),
      },
    },
    async (request, reply) => {
      const { after: asked, ...filter } = request.query;
      const team = await teamOf(request, parts);
      const matches = compileQuery(eventQuery(filter));
      const after = lastEventId(request.headers['last-event-id']) ?? asked ?? (await log.bounds(team)).last;
      const signal = whileAllowed(request, team, liveSignal(reply));
      const tail = follow(team, after, matches, signal);
      return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(Readable.from(tail));
    },
  );

  /** Aborts with `signal`, and for a person when their session or the right to read this team's events ends. */
  function whileAllowed({ principal }: FastifyRequest, team: TeamId, signal: AbortSignal): AbortSignal {
    if (principal?.kind !== 'user') return signal;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const ends = [
      accounts.ended(principal.sessionId, either),
      people.disallowed(principal.id, team, 'events:read', either),
    ];
    // Who cannot be asked about is not shown more either.
    for (const end of ends)
      end.then(
        () => over.abort(),
        () => over.abort(),
      );
    return either;
  }

  /** Frames of events after `after`; when nothing matched for a while, a comment with the place reached. */
  async function* follow(team: TeamId, after: Sequence, matches: (event: LoggedEvent) => boolean, signal: AbortSignal) {
    yield ': connected\n\n';
    let quietSince = clock.now();
    for (let last = after; !signal.aborted; ) {
      const events = await log.read(team, last, PAGE).catch((error: unknown) => {
        logger.error({ err: error, team }, 'a live tail broke off');
        throw error;
      });
      last = events.at(-1)?.sequence ?? last;
      const frames = events.filter(matches).map((e) => `id: ${e.sequence}\ndata: ${e.json}\n\n`);
      // Either way: a clock that was set back must not silence the heartbeat.
      if (frames.length === 0 && Math.abs(clock.now() - quietSince) >= HEARTBEAT_MS)
        frames.push(`: still here\nid: ${last}\n\n`);
      if (frames.length > 0) {
        yield frames.join('');
        quietSince = clock.now();
      }
      if (events.length === 0)
        await waitAtMost(clock, Math.min(quietSince + HEARTBEAT_MS - clock.now(), HEARTBEAT_MS), signal, (either) =>
          log.waitForMore(team, last, either),
        );
    }
  }
}

const PAGE = { events: 500, bytes: 1_048_576 };
const HEARTBEAT_MS = 15_000;

/** Ends when `wait` does, after `ms`, or when `signal` aborts; leaves no timer behind. */
async function waitAtMost(clock: Clock, ms: number, signal: AbortSignal, wait: (signal: AbortSignal) => Promise<void>) {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  await Promise.race([wait(either), clock.sleep(ms, either)]);
  over.abort();
}

function lastEventId(header: string | string[] | undefined): Sequence | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
    throw invalidField('Last-Event-ID', 'must be a sequence');
  return Number(header);
}
