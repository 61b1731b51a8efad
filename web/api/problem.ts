import type { Problem } from '../../src/contract/problem.ts';

/** An answer of the API that says why not (problem+json), or that no answer came at all. */
export class ApiProblem extends Error {
  /** 0: no answer came. */
  readonly status: number;
  readonly code: Problem['code'] | 'unreachable';
  /** One per wrong field; paths as the API names them. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly requestId: string | undefined;
  /** When it may be tried again; undefined: the answer did not say. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Partial<Problem>, status: number, retryAfterSeconds?: number) {
    super(problem.detail ?? problem.title ?? 'The service answered with something else than it should.');
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
    this.code = problem.code ?? 'unreachable';
    this.errors = problem.errors ?? [];
    this.requestId = problem.requestId;
  }
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await response.text();
  const wait = response.headers.get('retry-after');
  const retryAfterSeconds = wait === null ? undefined : Number(wait);
  try {
    return new ApiProblem(JSON.parse(text) as Partial<Problem>, response.status, retryAfterSeconds);
  } catch {
    const title = `The service answered with status ${response.status}.`;
    return new ApiProblem({ title }, response.status, retryAfterSeconds);
  }
}
