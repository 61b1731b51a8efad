import { ApiKeyList, CreateApiKey, CreatedApiKey } from '../../contract/administration.ts';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import type { TeamId } from '../../event/logged-event.ts';
import type { ApiKey as StoredKey } from '../../store/api-keys.ts';
import { actorOf, callerOf, teamOf } from '../access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { parseTime, toTime, toTimeOrNull } from '../time.ts';

/** API keys: people and keys see and make those of their own team; those of the installation are the operator's. */
export function apiKeyRoutes(app: App, parts: ServerParts): void {
  const { keyring, teams, clock } = parts;
  const config = { access: 'team:admin' } as const;
  const common = { tags: ['administration'], querystring: TeamQuery };

  /** Whose keys a request is about; undefined: all, for the operator who names no team. */
  const keysOf = async (request: TeamRequest): Promise<TeamId | undefined> =>
    callerOf(request).kind === 'operator' ? request.query.team : teamOf(request, parts);

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
        ...common,
        summary: 'API keys, without their secrets',
        response: answers(200, ApiKeyList, 'Newest first; revoked and expired ones too'),
      },
    },
    async (request) => ({ items: (await keyring.list(await keysOf(request))).map(shown), nextCursor: null }),
  );

  app.post(
    '/v1/api-keys',
    {
      config,
      schema: {
        ...common,
        summary: 'Create an API key, for a team or (team null, by the operator) for the installation',
        description: 'A key makes keys with scopes of its own at most.',
        body: CreateApiKey,
        response: answers(201, CreatedApiKey, 'Created; `key` is shown this once'),
      },
    },
    async (request, reply) => {
      const { name, scopes, expiresAt: expiry } = request.body;
      const caller = callerOf(request);
      const own = (await keysOf(request)) ?? null;
      const { team = own } = request.body;
      if (caller.kind === 'operator') {
        if (team !== null && !(await teams.get(team))) throw problem('not_found', `There is no team "${team}".`);
      } else if (team === null) throw problem('operator_only');
      else if (team !== own) throw problem('wrong_team');
      const beyond = caller.kind === 'key' ? scopes.filter((scope) => !caller.scopes.includes(scope)) : [];
      if (beyond.length > 0) throw problem('missing_scope', `This key cannot grant ${beyond.join(', ')}.`);
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
      schema: { ...common, summary: 'Revoke an API key: it stops at once', params: IdParams, response: NO_CONTENT },
    },
    async (request, reply) => {
      const { id } = request.params;
      const keys = await keyring.list(await keysOf(request));
      if (!keys.some((key) => key.id === id) || !(await keyring.revoke(id, actorOf(request))))
        throw problem('not_found', 'There is no such key, or it is revoked already.');
      return reply.code(204).send();
    },
  );
}

type TeamRequest = Parameters<typeof teamOf>[0];
