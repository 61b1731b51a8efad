import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, type Problem, type ProblemCode } from '../contract/problem.ts';
import { UnknownDestination } from '../delivery/delivery.ts';
import { Overloaded } from '../ingest/accept.ts';
import { BadBody } from '../ingest/body.ts';
import { BadQuery } from '../search/search.ts';
import { StorageDamaged, StoreUnavailable } from '../store/event-log.ts';

/** Not imported: an ES import of node:http makes Node load all of its own undici, for a WebSocket that nobody asks for. */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** An answer that says why not. Thrown anywhere below a route, it becomes problem+json. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly more: MoreOfProblem;
  constructor(code: ProblemCode, detail: string | undefined, more: MoreOfProblem) {
    super(detail ?? PROBLEMS[code].title, { cause: more.cause });
    this.code = code;
    this.more = more;
  }
}

interface MoreOfProblem {
  /** One per wrong field; `path` is dotted: `settings.token`. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  /** Further members of the answer. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The only place where an error answer is made. `detail` is for people: what happened and what to do. */
export function problem(code: ProblemCode, detail?: string, more: MoreOfProblem = {}): ProblemError {
  return new ProblemError(code, detail, more);
}

/** One field of the request cannot be used. */
export function invalidField(path: string, message: string): ProblemError {
  return problem('invalid_request', `${path}: ${message}`, { errors: [{ path, message }] });
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: ProblemError): FastifyReply {
  const { status, title } = PROBLEMS[error.code];
  const body: Problem & Record<string, unknown> = {
    type: 'about:blank',
    status,
    code: error.code,
    title,
    ...(error.message === title ? {} : { detail: error.message }),
    requestId: request.id,
    ...(error.more.errors && { errors: [...error.more.errors] }),
    ...error.more.fields,
  };
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply
    .code(status)
    .headers(error.more.headers ?? {})
    .type('application/problem+json')
    .send(JSON.stringify(body));
}

/** What any error thrown below a route means to the caller. Unknown ones are our fault, and say nothing. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof StoreUnavailable) return problem(error.code, undefined, { cause: error });
  if (error instanceof StorageDamaged) return problem('storage_damaged', undefined, { cause: error });
  if (error instanceof BadBody)
    return problem(error.code === 'too_many_events' ? 'too_many_events' : 'invalid_body', error.message, {
      cause: error,
    });
  if (error instanceof Overloaded)
    return problem('overloaded', error.message, { headers: { 'retry-after': String(error.retryAfterSeconds) } });
  if (error instanceof UnknownDestination) return problem('not_found', 'There is no such destination.');
  if (error instanceof BadQuery) return invalidField(error.path, error.message);
  if (isFastifyError(error)) return fromFastify(error);
  return problem('internal_error', undefined, { cause: error });
}

/** The whole answer to what is not even a request, by the code of Node's parser. */
export function rawProblem(nodeCode: string): string {
  const code = NODE_CODES[nodeCode] ?? 'invalid_request';
  const { status, title } = PROBLEMS[code];
  const body = JSON.stringify({ type: 'about:blank', status, code, title });
  const head = ['content-type: application/problem+json', `content-length: ${body.length}`, 'connection: close'];
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, '', body].join('\r\n');
}

const NODE_CODES: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
};

/** How long a producer waits while nothing can be stored. */
const RETRY_AFTER_SECONDS = 2;

const FASTIFY_CODES: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_body',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
};

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

function fromFastify(error: FastifyError): ProblemError {
  if (error.validation) {
    const errors = error.validation.flatMap(wrongFields);
    // Of a union's complaints about one place the first is the useful one.
    const first = errors.filter(({ path }, i) => errors.findIndex((e) => e.path === path) === i);
    return problem('invalid_request', first.map((e) => `${e.path || 'the body'} ${e.message}`).join('; '), {
      errors: first,
    });
  }
  const known = FASTIFY_CODES[error.code];
  if (known) return problem(known, error.message);
  return (error.statusCode ?? 500) < 500
    ? problem('invalid_request', error.message)
    : problem('internal_error', undefined, { cause: error });
}

type Complaint = NonNullable<FastifyError['validation']>[number];

function wrongFields({ keyword, instancePath, params, message = 'cannot be used' }: Complaint) {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const names = (list: unknown, why: string) =>
    Array.isArray(list) ? list.map((name) => ({ path: path ? `${path}.${name}` : `${name}`, message: why })) : [];
  switch (keyword) {
    case 'required':
      return names(params['requiredProperties'], 'is required');
    case 'additionalProperties':
      return names(params['additionalProperties'], 'is not known here');
    // Said of each unknown field too.
    case 'boolean':
      return [];
    case 'enum':
      return [{ path, message: `must be one of ${String(params['allowedValues']).replaceAll(',', ', ')}` }];
    default:
      return [{ path, message }];
  }
}
