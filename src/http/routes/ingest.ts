import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { TeamQuery } from '../../contract/common.ts';
import { IngestBody, IngestResult, NothingAccepted } from '../../contract/events.ts';
import { namedTeam, teamToWriteTo } from '../access.ts';
import { answer, answers } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';

/** `POST /v1/events`. The body stays bytes: ingest alone parses it. */
export function ingestRoute(app: App, parts: ServerParts): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    for (const type of ['application/json', 'application/x-ndjson'])
      scope.addContentTypeParser(type, { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) =>
        done(null, body),
      );

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
        const body = await decompressed(request.body, request.headers['content-encoding']);
        const team = namedTeam(request) && (await teamToWriteTo(request, parts));
        const result = await parts.accept.accept(body, { team, format });
        parts.metrics.ingested({ ...result, rejected: result.rejected.length }, reply.elapsedTime / 1000);
        if (result.rejected.length > 0 && result.accepted + result.duplicates === 0)
          throw problem('nothing_accepted', result.rejected[0]?.message, { fields: { ...result } });
        return result;
      },
    );
  });
}

/** The limit of a body as sent, and after decompression. */
const BODY_BYTES = 10 * 1024 * 1024;
const unzip = promisify(gunzip);

async function decompressed(body: unknown, encoding = 'identity'): Promise<Buffer> {
  if (!Buffer.isBuffer(body)) throw problem('invalid_body', 'The body is empty.');
  switch (encoding.toLowerCase()) {
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      try {
        // Decompression stops at the limit: a small body cannot take more memory than a large one.
        return await unzip(body, { maxOutputLength: BODY_BYTES });
      } catch (cause) {
        const isTooLarge = cause instanceof RangeError && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
        throw isTooLarge
          ? problem('body_too_large', 'The body has more than 10 MiB when decompressed.', { cause })
          : problem('invalid_body', 'The body is not gzip, though its Content-Encoding says so.', { cause });
      }
    default:
      throw problem('unsupported_encoding', `"${encoding}" is not supported: send gzip, or no Content-Encoding.`);
  }
}
