import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { Type } from 'typebox';
import type { Secret } from '../../secrets.ts';
import { answers, answersAs } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';

/** What operators' tools ask: is it alive, is it ready, how does it do, and what is its contract. */
export function operationRoutes(app: App, { log, metrics, config, principal }: ServerParts): void {
  const open = { access: 'anyone', rateLimit: false } as const;
  const tags = ['operations'];
  const Ok = Type.Object({ status: Type.Literal('ok') });

  app.get(
    '/healthz',
    {
      config: open,
      schema: { tags, security: [], summary: 'Is the process alive?', response: answers(200, Ok, 'Alive') },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      config: open,
      schema: { tags, security: [], summary: 'Could it store an event now?', response: answers(200, Ok, 'Yes') },
    },
    async () => {
      await log.check();
      return { status: 'ok' as const };
    },
  );
  app.get(
    '/metrics',
    {
      config: open,
      schema: {
        tags,
        summary: 'Prometheus metrics, from this machine or with METRICS_TOKEN as bearer token',
        response: answersAs('text/plain', 'Prometheus text format'),
      },
    },
    async (request, reply) => {
      if (principal !== 'operator' && !isLocal(request) && !hasToken(request, config.metricsToken))
        throw problem('unauthenticated', 'Metrics need METRICS_TOKEN as bearer token from here.');
      return reply.type(metrics.contentType).send(await metrics.render());
    },
  );
  app.get('/openapi.json', { config: open, schema: { hide: true } }, async () => app.swagger());
}

/** A request that a local proxy passes on is not local, trusted or not. */
function isLocal(request: FastifyRequest): boolean {
  const address = request.socket.remoteAddress ?? '';
  const isLoopback = ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
  return isLoopback && !request.headers['x-forwarded-for'] && !request.headers.forwarded;
}

function hasToken(request: FastifyRequest, token: Secret | null): boolean {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  // Hashed, so that both have one length and the comparison takes one time.
  return (
    !!given && !!token && timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token.reveal(), 'buffer'))
  );
}
