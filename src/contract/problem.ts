import { type Static, Type } from 'typebox';

/**
 * Every error the API answers with (RFC 9457). `code` is stable: programs decide by it. The codes of single events
 * within an ingest request are `REJECTION_CODES` in `event/rejection.ts`.
 */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not as documented' },
  invalid_body: { status: 400, title: 'The body cannot be read' },
  team_required: { status: 400, title: 'Say which team: add ?team=' },
  unauthenticated: { status: 401, title: 'A valid API key or a session is needed' },
  invalid_credentials: { status: 401, title: 'The e-mail address or the password is wrong' },
  second_factor_expired: { status: 401, title: 'Sign in again: the code came too late, or was wrong too often' },
  account_disabled: { status: 403, title: 'The account is in no team: ask an Owner of yours to let you in' },
  missing_scope: { status: 403, title: 'The API key lacks the scope for this' },
  not_allowed: { status: 403, title: 'Your role in this team does not allow this' },
  cross_origin: { status: 403, title: 'A page of another site may not do this' },
  owners_only: { status: 403, title: 'Only an Owner makes, changes or removes an Owner' },
  operator_only: { status: 403, title: 'Only the operator may do this, from the command line' },
  wrong_account: { status: 403, title: 'The link is for another account' },
  wrong_team: { status: 403, title: 'The API key or person belongs to another team' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  already_exists: { status: 409, title: 'It exists already' },
  last_owner: { status: 409, title: 'A team keeps at least one active Owner' },
  link_invalid: { status: 410, title: 'The link was used, withdrawn, or is too old' },
  body_too_large: { status: 413, title: 'The body is too large' },
  too_many_events: { status: 413, title: 'Too many events in one request' },
  unsupported_media_type: { status: 415, title: 'The Content-Type is not supported here' },
  unsupported_encoding: { status: 415, title: 'The Content-Encoding is not supported' },
  wrong_code: { status: 422, title: 'The code is wrong' },
  nothing_accepted: { status: 422, title: 'No event was acceptable' },
  invalid_settings: { status: 422, title: 'The destination cannot be set up like this' },
  rate_limited: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The request headers are too large' },
  internal_error: { status: 500, title: 'A fault of the service' },
  storage_damaged: {
    status: 500,
    title: 'Part of what is stored is damaged, and is not shown: the log of the service says what to do',
  },
  overloaded: { status: 503, title: 'The service is busy' },
  storage_full: { status: 503, title: 'The disk is full: nothing can be stored' },
  storage_error: { status: 503, title: 'Nothing can be stored at the moment' },
  shutting_down: { status: 503, title: 'The service is stopping' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

const CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

export const Problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    status: Type.Integer(),
    code: Type.Enum(CODES, { description: 'Stable, for programs' }),
    title: Type.String(),
    detail: Type.Optional(Type.String({ description: 'What happened and what to do, for people' })),
    requestId: Type.Optional(
      Type.String({ description: 'Also in the answer’s x-request-id and in the service’s log' }),
    ),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), { description: 'One per wrong field' }),
    ),
  },
  { $id: 'Problem', description: 'application/problem+json' },
);
export type Problem = Static<typeof Problem>;
