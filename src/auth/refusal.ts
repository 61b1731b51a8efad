import { PROBLEMS, type Problem, type ProblemCode } from '../contract/problem.ts';
import { StorageDamaged, StoreUnavailable } from '../store/event-log.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Origin } from './principal.ts';

/** Why a route below `/api/auth/` does not do what was asked. Thrown, it becomes problem+json. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly more: More;
  constructor(code: ProblemCode, detail?: string, more: More = {}) {
    super(detail ?? PROBLEMS[code].title);
    this.code = code;
    this.more = more;
  }
}

interface More {
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  /** Seconds. */
  readonly retryAfter?: number;
}

export function fieldProblem(path: string, message: string): Refusal {
  return new Refusal('invalid_request', message, { errors: [{ path, message }] });
}

/** RFC 9457, as the rest of the API answers. What is no refusal is a fault of ours, and is logged. */
export function toAnswer(error: unknown, { requestId }: Origin, logger: Logger): Response {
  const refusal = toRefusal(error);
  if (!(error instanceof Refusal)) logger.error({ err: error, requestId }, 'a request about an account failed');
  const { status, title } = PROBLEMS[refusal.code];
  const { errors, retryAfter = status === 503 ? 2 : undefined } = refusal.more;
  const body: Problem = {
    type: 'about:blank',
    status,
    code: refusal.code,
    title,
    ...(refusal.message !== title && { detail: refusal.message }),
    ...(requestId !== undefined && { requestId }),
    ...(errors && { errors: [...errors] }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfter !== undefined && (status === 429 || status === 503) && { 'retry-after': String(retryAfter) }),
    },
  });
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StorageDamaged) return new Refusal('storage_damaged');
  return new Refusal(error instanceof StoreUnavailable ? error.code : 'internal_error');
}
