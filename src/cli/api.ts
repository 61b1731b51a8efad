import type { Readable } from 'node:stream';
import type { Client } from 'undici';

/** The HTTP API as a command sees it: through the operator's socket, or a URL with a key. */
export interface Api {
  /** Sends and reads JSON. Throws ApiError for a problem answer. */
  json<T>(method: Method, path: string, body?: unknown): Promise<T>;
  /** Sends a body as it is; answers with status and parsed JSON, problems included. */
  post(
    path: string,
    contentType: string,
    body: Buffer,
  ): Promise<{ status: number; retryAfterMs: number; json: unknown }>;
  /** Opens an answer as a stream. Throws ApiError for a problem answer. */
  stream(path: string, headers?: Record<string, string>): Promise<Readable>;
  close(): Promise<void>;
}
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** The service's own answer that it would not do something: shown as it is. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Readonly<Record<string, unknown>>;
  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(describe(status, problem));
    this.status = status;
    this.code = String(problem['code'] ?? status);
    this.problem = problem;
  }
}

export function openApi(at: { readonly socketPath: string } | { readonly url: string; readonly key: string }): Api {
  const remote = 'url' in at ? new URL(at.url) : undefined;
  let opened: Promise<Client> | undefined;
  // Loaded with the first question: the service, which shares this file with its commands, asks none.
  const open = async (): Promise<Client> => {
    const undici = await import('undici');
    return new undici.Client(
      remote?.origin ?? 'http://operator',
      'socketPath' in at ? { socketPath: at.socketPath } : {},
    );
  };
  const prefix = remote?.pathname.replace(/\/$/, '') ?? '';
  const auth = 'key' in at ? { authorization: `Bearer ${at.key}` } : {};

  const request = async (method: Method, path: string, headers: Record<string, string>, body?: Buffer | string) => {
    opened ??= open();
    const client = await opened;
    try {
      return await client.request({
        method,
        path: prefix + path,
        headers: { ...auth, ...headers },
        body: body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    } catch (cause) {
      if (!remote) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`No answer from ${remote.origin} (${reason}). Does the service run there?`, { cause });
    }
  };

  return {
    json: async <T>(method: Method, path: string, body?: unknown): Promise<T> => {
      const headers = {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const answer = await request(method, path, headers, body === undefined ? undefined : JSON.stringify(body));
      const json = parse(await answer.body.text());
      if (answer.statusCode >= 400) throw new ApiError(answer.statusCode, json as Record<string, unknown>);
      return json as T;
    },
    post: async (path, contentType, body) => {
      const answer = await request('POST', path, { 'content-type': contentType }, body);
      const retryAfter = Number(answer.headers['retry-after'] ?? 1);
      return { status: answer.statusCode, retryAfterMs: retryAfter * 1000, json: parse(await answer.body.text()) };
    },
    stream: async (path, headers = {}) => {
      const answer = await request('GET', path, headers);
      if (answer.statusCode >= 400)
        throw new ApiError(answer.statusCode, parse(await answer.body.text()) as Record<string, unknown>);
      return answer.body;
    },
    close: async () => (await opened)?.close(),
  };
}

function parse(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return { title: 'The answer is not JSON; is this the address of Trailproof?', detail: text.slice(0, 200) };
  }
}

function describe(status: number, problem: Readonly<Record<string, unknown>>): string {
  const { title = `The service answered ${status}`, detail = title, errors } = problem;
  // The detail of wrong fields is these fields once more, in one line.
  return Array.isArray(errors) ? [title, ...errors.map((e) => `  ${e.path}: ${e.message}`)].join('\n') : String(detail);
}
