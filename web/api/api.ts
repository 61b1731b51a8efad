import { ApiProblem, problemOf } from './problem.ts';

export interface Call {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
}
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** Calls the API as the person signed in. Rejects with ApiProblem. */
export async function api<T>(method: string, path: string, call: Call = {}): Promise<T> {
  const response = await send(method, path, call);
  // The contract says what each route answers; the server checks itself against it.
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** As `api`, for answers that are read as they come (events of a test, an export). */
export async function send(method: string, path: string, { query, body, signal, headers }: Call): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem({ title: 'The service does not answer. Check that it runs and that you are online.' }, 0);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Repeated parameters are OR in the API's filters; absent and empty ones are left out. */
export function withQuery(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== null && one !== '') parameters.append(name, String(one));
  return parameters.size > 0 ? `${path}?${parameters}` : path;
}
