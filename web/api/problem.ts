import type { Problem } from '../../src/contract/problem.ts';

/** An answer of the API that says why not (problem+json), or that no answer came at all. */
export class ApiProblem extends Error {
  /** 0: no answer came. */
  readonly status: number;
  readonly code: Problem['code'] | 'unreachable';
  /** One per wrong field; paths as the API names them. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly requestId: string | undefined;

  constructor(problem: Partial<Problem>, status: number) {
    super(problem.detail ?? problem.title ?? 'The service answered with something else than it should.');
    this.status = status;
    this.code = problem.code ?? 'unreachable';
    this.errors = problem.errors ?? [];
    this.requestId = problem.requestId;
  }
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await response.text();
  try {
    return new ApiProblem(JSON.parse(text) as Partial<Problem>, response.status);
  } catch {
    return new ApiProblem({ title: `The service answered with status ${response.status}.` }, response.status);
  }
}
