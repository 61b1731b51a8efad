/** Who asks: a key or a session; neither: nobody. */
export interface Asker {
  readonly key?: string;
  readonly cookie?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty unless the answer is JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** One call of the public API as it is answered, whatever that is. */
export async function ask(
  url: string,
  method: string,
  path: string,
  asker: Asker = {},
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const answer = await fetch(`${url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      accept: 'application/json',
      ...(asker.key !== undefined && { authorization: `Bearer ${asker.key}` }),
      ...(asker.cookie !== undefined && { cookie: asker.cookie, origin: url }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '') && text !== '';
  return {
    ...{ status: answer.status, headers: answer.headers, text },
    json: (isJson ? JSON.parse(text) : {}) as Record<string, unknown>,
  };
}

/** What a browser sends back of an answer's cookies. */
export function cookieOf({ headers }: Pick<Answered, 'headers'>): string {
  return headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');
}
