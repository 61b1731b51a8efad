import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { type TSchema, Type } from 'typebox';
import type { Config } from '../config/config.ts';

/** The frame of the OpenAPI document; its paths come from the routes' schemas. */
export function openApiOptions(config: Pick<Config, 'publicUrl'>): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Trailproof',
        version: '1',
        description:
          'The audit log that proves it arrived. Errors are application/problem+json with a stable `code`. ' +
          'Fields and routes may be added; none is changed.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: config.publicUrl ?? '/' }],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, tp_…' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'trailproof.session_token',
            description: 'A session of the console',
          },
        },
      },
      security: [{ apiKey: [] }, { session: [] }],
    },
    refResolver: { buildLocalReference: (json, _uri, _fragment, i) => (json.$id ? String(json.$id) : `part-${i}`) },
  };
}

/** The answers of a route: what it gives, and that everything else is a problem. */
export function answers<S extends number, T extends TSchema>(status: S, schema: T, description: string) {
  return { [status]: answer('application/json', schema, description), ...PROBLEM_ANSWERS };
}

/** One answer of another content type than JSON. */
export function answersAs(contentType: string, description: string) {
  return { 200: answer(contentType, Type.String(), description), ...PROBLEM_ANSWERS };
}

export function answer(contentType: string, schema: TSchema, description: string) {
  return { description, content: { [contentType]: { schema } } };
}

const problemRef = Type.Unsafe({ $ref: 'Problem#' });

export const PROBLEM_ANSWERS = {
  '4xx': answer('application/problem+json', problemRef, 'The request cannot be answered as it is: `code` says why'),
  '5xx': answer('application/problem+json', problemRef, 'Not now: try again, after `Retry-After` where given'),
};

/** The answers of a route that gives nothing back. */
export const NO_CONTENT = { 204: { description: 'Done', type: 'null' }, ...PROBLEM_ANSWERS };
