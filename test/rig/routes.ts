import type { App } from '../../src/http/server-parts.ts';

/** Every route there is, as `GET /v1/destinations/{id}`. Fastify names the one with a wildcard `*` alone. */
export function routesOf(app: App): string[] {
  const routes: string[] = [];
  const path: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^((?:[│ ] {3})*)[├└]── (\S+)(?: \((.*)\))?/.exec(line);
    if (!match) continue;
    const depth = match[1]!.length / 4;
    path.splice(depth, Number.POSITIVE_INFINITY, match[2]!);
    const url = path
      .join('')
      .replace(/:(\w+)/g, '{$1}')
      .replace(/^\*$/, '/api/auth/*');
    for (const method of match[3]?.split(', ') ?? []) if (method !== 'HEAD') routes.push(`${method} ${url}`);
  }
  return routes;
}
