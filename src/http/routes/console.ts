import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App, ServerParts } from '../server-parts.ts';

/** The console's files: those with a hash in their name, below `assets/`, never change; the others hardly do. */
export function consoleRoutes(app: App, { consoleFolder }: ServerParts): void {
  if (consoleFolder === null) return;
  const route = { config: { access: 'anyone', rateLimit: false }, schema: { hide: true } } as const;
  // `vite build` leaves a .gz beside each file: nothing is compressed while somebody waits.
  void app.register(fastifyStatic, { root: consoleFolder, serve: false, preCompressed: true });

  for (const name of topFiles(consoleFolder))
    app.get(`/${name}`, route, (_request, reply) => reply.sendFile(name, { maxAge: '1h' }));
  app.get<{ Params: { name: string } }>('/assets/:name', route, ({ params }, reply) =>
    reply.sendFile(`assets/${params.name}`, { maxAge: '1y', immutable: true }),
  );
  app.get('/', route, (_request, reply) => sendPage(reply, consoleFolder));
}

/** Whether a browser asks for a page: every address that is not of the API is one of the console. */
export function asksForPage({ method, url, headers }: FastifyRequest): boolean {
  const isApi = /^\/(v1|api)(\/|$)/.test(url.split('?', 1)[0]!);
  return method === 'GET' && !isApi && /\btext\/html\b/.test(headers.accept ?? '');
}

/**
 * The console's one page. Its policy lets in nothing that is not ours; styles carry a nonce of their own each time,
 * which the page hands to its component library.
 */
export async function sendPage(reply: FastifyReply, consoleFolder: string): Promise<FastifyReply> {
  const nonce = randomBytes(16).toString('base64');
  const page = await readFile(join(consoleFolder, 'index.html'), 'utf8').catch(() => NOT_BUILT);
  return reply
    .type('text/html; charset=utf-8')
    .headers({ 'cache-control': 'no-store', 'content-security-policy': policy(nonce) })
    .send(page.replaceAll('__NONCE__', nonce));
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Trailproof</title>
<h1>The console is not built</h1><p>Run <code>npm run build</code>, then load this page again. The API works.</p></html>
`;

/** Files beside the page, such as its icon. */
function topFiles(folder: string): readonly string[] {
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    return files.map(({ name }) => name).filter((name) => name !== 'index.html' && !name.endsWith('.gz'));
  } catch {
    return [];
  }
}
