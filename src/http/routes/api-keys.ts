import { ApiKeyList, CreateApiKey, CreatedApiKey } from '../../contract/administration.ts';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import type { ApiKey as StoredKey } from '../../store/api-keys.ts';
import { actorOf } from '../access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { parseTime, toTime, toTimeOrNull } from '../time.ts';

export function apiKeyRoutes(app: App, { keyring, teams, clock }: ServerParts): void {
  const config = { access: 'operator' } as const;
  const tags = ['administration'];

  const shown = ({ id, name, team, scopes, createdAt, expiresAt, revokedAt, lastUsedAt }: StoredKey) => {
    const isExpired = expiresAt !== null && expiresAt <= clock.now();
    return {
      id,
      name,
      team,
      scopes: [...scopes],
      status: revokedAt !== null ? ('revoked' as const) : isExpired ? ('expired' as const) : ('active' as const),
      createdAt: toTime(createdAt),
      expiresAt: toTimeOrNull(expiresAt),
      lastUsedAt: toTimeOrNull(lastUsedAt),
    };
  };

  app.get(
    '/v1/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'API keys, without their secrets',
        querystring: TeamQuery,
        response: answers(200, ApiKeyList, 'Newest first; revoked and expired ones too'),
      },
    },
    async ({ query }) => ({ items: (await keyring.list(query.team)).map(shown), nextCursor: null }),
  );

  app.post(
    '/v1/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'Create an API key, for a team or (team null) for the installation',
        body: CreateApiKey,
        response: answers(201, CreatedApiKey, 'Created; `key` is shown this once'),
      },
    },
    async (request, reply) => {
      const { name, scopes, team = null, expiresAt: expiry } = request.body;
      if (team !== null && !(await teams.get(team))) throw problem('not_found', `There is no team "${team}".`);
      const expiresAt = expiry ? parseTime('expiresAt', expiry) : null;
      if (expiresAt !== null && expiresAt <= clock.now()) throw invalidField('expiresAt', 'must be in the future');
      const { key, secret } = await keyring.create({ name, scopes, team, expiresAt }, actorOf(request));
      return reply.code(201).send({ ...shown(key), key: secret.reveal() });
    },
  );

  app.delete(
    '/v1/api-keys/:id',
    {
      config,
      schema: { tags, summary: 'Revoke an API key: it stops at once', params: IdParams, response: NO_CONTENT },
    },
    async (request, reply) => {
      const revoked = await keyring.revoke(request.params.id, actorOf(request));
      if (!revoked) throw problem('not_found', 'There is no such key, or it is revoked already.');
      return reply.code(204).send();
    },
  );
}
