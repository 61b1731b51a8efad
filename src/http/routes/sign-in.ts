import { originOf } from '../access.ts';
import type { App, ServerParts } from '../server-parts.ts';

/** Sign-in, sign-out, password and second factor: `accounts` answers these itself, so the body stays bytes. */
export function signInRoutes(app: App, { accounts, baseUrl }: ServerParts): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    );

    scope.route({
      method: ['GET', 'POST'],
      url: '/api/auth/*',
      config: { access: 'anyone' },
      bodyLimit: BODY_BYTES,
      schema: { hide: true },
      handler: async (request, reply) => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(request.headers))
          for (const one of [value ?? []].flat()) headers.append(name, one);
        const { method, body } = request;
        const asked = new Request(new URL(request.url, baseUrl()), {
          method,
          headers,
          ...(Buffer.isBuffer(body) && method !== 'GET' && { body: new Uint8Array(body) }),
        });
        const answer = await accounts.handle(asked, originOf(request));
        for (const [name, value] of answer.headers) if (name !== 'set-cookie') reply.header(name, value);
        const cookies = answer.headers.getSetCookie();
        if (cookies.length > 0) reply.header('set-cookie', cookies);
        return reply.code(answer.status).send(Buffer.from(await answer.arrayBuffer()));
      },
    });
  });
}

const BODY_BYTES = 65_536;
