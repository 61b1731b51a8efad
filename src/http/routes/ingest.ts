import { Readable } from 'node:stream';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { TeamQuery } from '../../contract/common.ts';
import { IngestBody, IngestResult, NothingAccepted } from '../../contract/events.ts';
import { namedTeam, teamToWriteTo } from '../access.ts';
import { answer, answers } from '../openapi.ts';
import { problem } from '../problem.ts';
import { createBodyReader } from '../request-body.ts';
import type { App, ServerParts } from '../server-parts.ts';

/** `POST /v1/events`. The body stays bytes: ingest alone parses it. */
export function ingestRoute(app: App, parts: ServerParts): void {
  const bodies = createBodyReader({ bytes: BODY_BYTES, allBytes: ALL_BODIES_BYTES });
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    // Read by the route itself, within what all bodies may take.
    for (const type of ['application/json', 'application/x-ndjson'])
      scope.addContentTypeParser(type, (_request, body, done) => done(null, body));

    scope.post(
      '/v1/events',
      {
        config: { access: 'events:write' },
        bodyLimit: BODY_BYTES,
        // The body is judged event by event, by ingest.
        validatorCompiler: (part) => (part.httpPart === 'body' ? () => true : TypeBoxValidatorCompiler(part)),
        schema: {
          tags: ['events'],
          summary: 'Send events; answered when those accepted are durable',
          description:
            'One event, an array, or NDJSON; gzip too. At most 10 MiB (decompressed), 10,000 events, 256 KiB each. ' +
            'Each event is judged alone. Sending again after a lost answer adds nothing when events carry ids.',
          querystring: TeamQuery,
          body: {
            content: {
              'application/json': { schema: IngestBody },
              'application/x-ndjson': { schema: Type.String({ description: 'One event a line' }) },
            },
          },
          response: {
            ...answers(200, IngestResult, 'Something was accepted or is a duplicate, or nothing was sent'),
            422: answer('application/problem+json', NothingAccepted, 'No event was acceptable'),
          },
        },
      },
      async (request, reply) => {
        const format = /^application\/x-ndjson/i.test(request.headers['content-type'] ?? '') ? 'ndjson' : 'json';
        const { body: sent, headers } = request;
        if (!(sent instanceof Readable)) throw problem('invalid_body', 'The body is empty.');
        if (Number(headers['content-length']) > BODY_BYTES) throw problem('body_too_large');
        const team = namedTeam(request) && (await teamToWriteTo(request, parts));
        const body = await bodies.read(sent, headers['content-encoding']);
        try {
          const result = await parts.accept.accept(body.bytes, { team, format });
          parts.metrics.ingested({ ...result, rejected: result.rejected.length }, reply.elapsedTime / 1000);
          if (result.rejected.length > 0 && result.accepted + result.duplicates === 0)
            throw problem('nothing_accepted', result.rejected[0]?.message, { fields: { ...result } });
          return result;
        } finally {
          body.letGo();
        }
      },
    );
  });
}

/** The limit of a body as sent, and after decompression. */
const BODY_BYTES = 10 * 1024 * 1024;
/** Of all bodies that are on their way in or being accepted. */
const ALL_BODIES_BYTES = 96 * 1024 * 1024;
