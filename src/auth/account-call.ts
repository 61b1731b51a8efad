import type { SignedIn } from './accounts.ts';
import { cookiesOf } from './cookies.ts';
import type { Changes, Library } from './library.ts';
import type { Origin } from './principal.ts';
import { Refusal } from './refusal.ts';
import type { Sessions } from './sessions.ts';

/** A request of a route below `/api/auth/`. */
export interface Call {
  /** `/sign-in/email` */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, string>>;
  readonly origin: Origin;
  /** Whose session it is; null: nobody's. */
  readonly current: SignedIn | null;
}

/** What better-auth did and said. */
export interface Outcome extends Omit<Changes<Response>, 'result'> {
  readonly status: number;
  readonly headers: Headers;
  readonly said: Readonly<Record<string, unknown>>;
  /** Seconds until it listens again, of a 429. */
  readonly retryAfter: number;
}

export type Ask = (call: Call, body: object) => Promise<Outcome>;

/** Lets better-auth's route of the same path answer `body`. Throws for pages of other sites, and for its faults. */
export function asks(library: () => Promise<Library>, sessions: Sessions): Ask {
  return async ({ path, headers, origin, current }, body) => {
    const { handle } = await library();
    const { result, began, ended } = await sessions.watch(origin, current?.sessionId ?? null, () =>
      handle(path, headers, body),
    );
    const text = await result.text();
    if (result.status === 403) throw new Refusal('cross_origin');
    if (result.status >= 500) throw new Error(`better-auth answered ${path} with status ${result.status}`);
    const retryAfter = Number(result.headers.get('x-retry-after') ?? LOCKED_SECONDS);
    return {
      status: result.status,
      headers: result.headers,
      said: text ? JSON.parse(text) : {},
      began,
      ended,
      retryAfter,
    };
  };
}

/** How long better-auth locks a second factor after ten wrong codes, which it does not say. */
const LOCKED_SECONDS = 900;

/** A good answer, with the cookies that better-auth sets. */
export function answerOf(body: unknown, headers = new Headers()): Response {
  const answer = Response.json(body, { headers: { 'cache-control': 'no-store' } });
  for (const cookie of cookiesOf(headers)) answer.headers.append('set-cookie', cookie);
  return answer;
}
