import { randomUUID } from 'node:crypto';
import { type SerializerFactory, SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import { Destination } from '../contract/destinations.ts';
import { EVENT_SCHEMAS } from '../contract/events.ts';
import { PROBLEMS, Problem } from '../contract/problem.ts';
import { createGate } from './access.ts';
import { createBrokenRequests } from './broken-requests.ts';
import { openApiOptions } from './openapi.ts';
import { problem, sendProblem, toProblem } from './problem.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { asksForPage, consoleRoutes, sendPage } from './routes/console.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { destinationActionRoutes } from './routes/destination-actions.ts';
import { destinationTestRoute } from './routes/destination-test.ts';
import { destinationRoutes } from './routes/destinations.ts';
import { eventRoutes } from './routes/events.ts';
import { eventExportRoute } from './routes/events-export.ts';
import { eventStreamRoute } from './routes/events-stream.ts';
import { ingestRoute } from './routes/ingest.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { memberRoutes } from './routes/members.ts';
import { operationRoutes } from './routes/operations.ts';
import { operatorLinkRoute } from './routes/operator-links.ts';
import { sandboxRoutes } from './routes/sandbox.ts';
import { savedFilterRoutes } from './routes/saved-filters.ts';
import { sessionRoutes } from './routes/session.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { teamSettingsRoutes } from './routes/team.ts';
import { teamRoutes } from './routes/teams.ts';
import { vocabularyRoutes } from './routes/vocabulary.ts';
import type { App, ServerParts } from './server-parts.ts';

/**
 * The HTTP API over its parts, ready to listen. Who asks is found out first, then how often they may, then whether they
 * may at all; only then is a body read.
 */
export async function buildServer(parts: ServerParts): Promise<App> {
  const broken = createBrokenRequests();
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    trustProxy: parts.config.trustedProxies.length > 0 ? [...parts.config.trustedProxies] : false,
    bodyLimit: BODY_BYTES,
    // Event ids have up to 128 characters, each up to three when percent-encoded.
    routerOptions: { maxParamLength: 400 },
    // Without a host a request is refused below, as a problem.
    http: { maxHeaderSize: 16_384, headersTimeout: 20_000, requireHostHeader: false },
    requestTimeout: 60_000,
    schemaController: { compilersFactory: { buildSerializer } },
    // Without a byte either way: also ends a live tail whose reader stopped reading.
    connectionTimeout: 120_000,
    clientErrorHandler: broken.answer,
    // Answered below, as a problem.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, toProblem(error)),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.server.prependListener('request', broken.note);
  // Node would answer 417 without a word; an expectation may also be left alone (RFC 9110, 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.setValidatorCompiler((part) => lazily(() => TypeBoxValidatorCompiler(part)));
  app.removeContentTypeParser('text/plain');
  const parseJson = app.getDefaultJsonParser('error', 'error');
  // Many clients name the type though they send nothing, to pause or to delete: that is no body, not a broken one.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, null) : parseJson(request, `${body}`, done),
  );
  for (const schema of [Problem, Destination, ...EVENT_SCHEMAS]) app.addSchema(schema);

  const gate = createGate(parts);
  app.decorateRequest('principal', null);
  app.decorateRequest('session', null);
  app.decorateRequest('refusal', null);
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    if (isClosing) throw problem('shutting_down', undefined, { headers: { connection: 'close' } });
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw problem('invalid_request', 'The header Host is missing.');
    await gate.authenticate(request);
  });
  if (parts.principal === 'keys')
    await app.register(rateLimit, {
      timeWindow: 60_000,
      cache: 20_000,
      keyGenerator: ({ principal, ip }) => (principal && 'id' in principal ? principal.id : ip),
      max: ({ principal }) => (principal ? parts.config.rateLimitPerMinute : STRANGERS_PER_MINUTE),
      errorResponseBuilder: (_, { after }) => problem('rate_limited', `Try again in ${after}.`),
    });
  app.addHook('preParsing', async (request) => gate.authorize(request));
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const answered = { method: request.method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 };
    parts.metrics.request(answered);
    parts.logger.debug({ ...answered, requestId: request.id }, 'answered');
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = toProblem(error);
    if (PROBLEMS[answer.code].status === 500)
      parts.logger.error({ err: error, requestId: request.id, route: request.routeOptions.url }, 'a request failed');
    return sendProblem(request, reply, answer);
  });
  answerUnknownAddresses(app, parts);

  await app.register(swagger, openApiOptions(parts.config));
  for (const routes of ROUTES) routes(app, parts);
  await app.ready();
  return app;
}

/** Fastify's own. */
const buildSerializer: SerializerFactory = (schemas, options) => {
  const compile = SerializerSelector()(schemas, options);
  return (route) => lazily(() => compile(route));
};

/** What a schema compiles to, made when it is first needed: made for all routes at once they were half of the start. */
function lazily<In, Out>(make: () => (value: In) => Out): (value: In) => Out {
  let made: ((value: In) => Out) | undefined;
  return (value) => {
    made ??= make();
    return made(value);
  };
}

/** Larger only for events. */
const BODY_BYTES = 1_048_576;
/** Requests a minute from one address without a valid key. */
const STRANGERS_PER_MINUTE = 600;

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

const ROUTES = [
  operationRoutes,
  ingestRoute,
  eventExportRoute,
  eventStreamRoute,
  eventRoutes,
  deliveryRoutes,
  vocabularyRoutes,
  destinationRoutes,
  destinationActionRoutes,
  destinationTestRoute,
  sessionRoutes,
  signInRoutes,
  memberRoutes,
  invitationRoutes,
  savedFilterRoutes,
  teamSettingsRoutes,
  apiKeyRoutes,
  teamRoutes,
  operatorLinkRoute,
  sandboxRoutes,
  consoleRoutes,
];

/** The console's page for browsers; else 404, or 405 with `Allow` where the address exists for other methods. */
function answerUnknownAddresses(app: App, { consoleFolder }: ServerParts): void {
  const routes: { readonly method: string | string[]; readonly pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ method, pattern: new RegExp(`^${url.replaceAll('.', '\\.').replace(/:[a-z]+/g, '[^/]+')}$`) });
  });
  app.setNotFoundHandler((request, reply) => {
    if (consoleFolder !== null && asksForPage(request)) return sendPage(reply, consoleFolder);
    const path = request.url.split('?', 1)[0]!;
    const allowed = new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ method }) => method));
    const answer =
      allowed.size === 0 || allowed.has(request.method)
        ? problem('not_found', `${request.method} ${path} is not part of this API; see /openapi.json.`)
        : problem('method_not_allowed', undefined, { headers: { allow: [...allowed].join(', ') } });
    return sendProblem(request, reply, answer);
  });
}
