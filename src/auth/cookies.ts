export const COOKIE_PREFIX = 'trailproof';
export const SESSION_SECONDS = 24 * 3600;
/** A session in use is prolonged this often. */
export const PROLONGED_SECONDS = 3600;
/**
 * The cookie outlives its session, whose row decides: a session is prolonged where there is no answer to write a cookie
 * to. So this is how long somebody can stay signed in at most.
 */
const COOKIE_SECONDS = 30 * 24 * 3600;

/** Whether the header may name a session at all. */
export function mayHaveSession(cookies: string): boolean {
  return cookies.includes(`${COOKIE_PREFIX}.session_token=`);
}

/** The cookies an answer of better-auth sets, as they go out. */
export function cookiesOf(headers: Headers): readonly string[] {
  return headers
    .getSetCookie()
    .map((cookie) => cookie.replace(`Max-Age=${SESSION_SECONDS};`, `Max-Age=${COOKIE_SECONDS};`));
}
