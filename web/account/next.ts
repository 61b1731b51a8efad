/**
 * Where to go after signing in: `next` if it is an address of this console. Anything else would let a link to our
 * sign-in page end on somebody else's page.
 */
export function safeNext(next: string | undefined, origin: string): string {
  // "//host" and "/\host" are addresses of other hosts to a browser.
  if (!next || !/^\/(?![/\\])/.test(next)) return HOME;
  const url = URL.parse(next, origin);
  if (url?.origin !== origin || PAGES_BEFORE.some((page) => url.pathname === page)) return HOME;
  return `${url.pathname}${url.search}${url.hash}`;
}

const HOME = '/';
const PAGES_BEFORE = ['/sign-in', '/setup', '/join', '/link', '/reset'];
